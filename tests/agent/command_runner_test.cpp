// Connectors' commands, run by real programs of this machine.
#include "actors/agent/command_runner.hpp"
#include "tests/temp_directory.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>

using namespace muster;
using namespace muster::actors;
using namespace std::chrono_literals;

namespace {

command_result run(command_runner& runner, rules::command_line command,
                   std::chrono::milliseconds time_max = 30s, std::size_t output_max = 1'000) {
  auto promise = std::make_shared<std::promise<command_result>>();
  auto answer = promise->get_future();
  runner.run({std::move(command), time_max, output_max},
             [promise](command_result result) { promise->set_value(std::move(result)); });
  REQUIRE(answer.wait_for(60s) == std::future_status::ready);
  return answer.get();
}

bool exists(pid_t process) {
  return ::kill(process, 0) == 0;
}

/// A number that a program writes; waits for it to be whole.
pid_t number_in(const std::filesystem::path& file) {
  for (;;) {
    std::ifstream in{file};
    std::string line;
    if (std::getline(in, line) && !in.eof())
      return static_cast<pid_t>(std::stol(line));
    std::this_thread::yield();
  }
}

} // namespace

TEST_CASE("a command's exit code and words come back, in its own small world") {
  command_runner runner;
  CHECK(run(runner, {"/bin/true"}).good());
  CHECK(run(runner, {"/bin/false"}).exit_code == 1);
  const auto spoken = run(runner, {"/bin/sh", "-c", "echo one; echo two >&2; pwd; exit 7"});
  CHECK(spoken.exit_code == 7);
  CHECK(spoken.output == "one\ntwo\n/\n");
  CHECK_FALSE(spoken.good());
  ::setenv("MUSTER_TEST_SECRET", "secret", 1);
  const auto world = run(runner, {"/usr/bin/env"}).output;
  CHECK(world.find("LC_ALL=C.UTF-8") != std::string::npos);
  CHECK(world.find("secret") == std::string::npos);
  CHECK(run(runner, {"/bin/cat"}).good()); // nothing to read
  CHECK(run(runner, {"/bin/echo", "a b", "$HOME;"}).output == "a b $HOME;\n"); // no shell
  const auto killed = run(runner, {"/bin/sh", "-c", "kill -TERM $$"});
  CHECK(killed.exit_code == 128 + SIGTERM);
}

TEST_CASE("a program that is not there is a sentence") {
  command_runner runner;
  const auto result = run(runner, {"/no/such/program"});
  CHECK_FALSE(result.good());
  CHECK(result.problem == "/no/such/program cannot be started: No such file or directory");
}

TEST_CASE("what a command has to say beyond the bound is thrown away, and it is not held up") {
  command_runner runner;
  const auto result =
    run(runner, {"/bin/sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo end >&2"}, 30s, 100);
  CHECK(result.good());
  CHECK(result.cut);
  CHECK(result.output == std::string(100, 'x'));
}

TEST_CASE("at its time limit a command is killed with all that it has begun") {
  const test::temp_directory directory;
  const auto file = (directory.path() / "child").string();
  command_runner runner;
  const auto result =
    run(runner, {"/bin/sh", "-c", "sleep 1000 & echo $! > " + file + "; wait"}, 300ms);
  CHECK_FALSE(result.good());
  CHECK(result.problem == "/bin/sh took longer than 0 s and was killed");
  const auto grandchild = number_in(file);
  // Its parent is gone: whoever adopts it has to notice.
  const auto until = std::chrono::steady_clock::now() + 20s;
  std::string state = "R";
  while (exists(grandchild) && state != "Z" && std::chrono::steady_clock::now() < until) {
    std::ifstream in{"/proc/" + std::to_string(grandchild) + "/stat"};
    std::string number, name;
    in >> number >> name >> state;
  }
  CHECK((!exists(grandchild) || state == "Z"));
}

TEST_CASE("a command that leaves a daemon behind with its output is not waited for") {
  command_runner runner;
  const auto result = run(runner, {"/bin/sh", "-c", "sleep 5 & echo begun"});
  CHECK(result.good());
  CHECK(result.output == "begun\n");
}

TEST_CASE("who goes takes the command along") {
  const test::temp_directory directory;
  const auto file = directory.path() / "self";
  pid_t child = 0;
  bool told = false;
  {
    command_runner runner;
    runner.run({{"/bin/sh", "-c", "echo $$ > " + file.string() + "; exec sleep 1000"}, 600s, 100},
               [&](command_result) { told = true; });
    runner.run({{"/bin/true"}, 600s, 100}, [&](command_result) { told = true; });
    child = number_in(file);
    CHECK(exists(child));
  }
  CHECK_FALSE(exists(child)); // waited for, too
  CHECK_FALSE(told);
}
