// Must hold: `muster-server check` says what is true of the server that runs, and of the one that
// cannot start, and root does no harm in the directory of the server's own user.

#include "net/udp_socket.hpp"
#include "tests/system/fleet.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <regex>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

constexpr const char* setpriv = "/usr/bin/setpriv";
constexpr unsigned nobody = 65534;

words ports_of(const server_under_test& server) {
  return {
    "--agents-address",  "127.0.0.1", "--agents-port",  std::to_string(server.agents_port()),
    "--admin-address",   "127.0.0.1", "--admin-port",   std::to_string(server.admin_port()),
    "--notices-address", "127.0.0.1", "--notices-port", std::to_string(server.notices_port())};
}

finished check(const server_under_test& server, words more = {}) {
  auto command = ports_of(server);
  command.insert(command.begin(), "check");
  command.insert(command.end(), more.begin(), more.end());
  return server.run_beside(std::move(command));
}

/// What the check says of one thing: its verdict, two blanks or more, what, text.
bool says(const finished& done, const std::string& how, const std::string& what,
          const std::string& part) {
  return std::regex_search(done.output,
                           std::regex{"(^|\n)" + how + " +" + what + "  [^\n]*" + part});
}

} // namespace

TEST_CASE(
  "check sees the running server's ports, store and wakes, and a stopped one's that are free") {
  server_under_test server;
  server.start();
  const auto alive = check(server);
  CAPTURE(alive.output);
  CHECK(alive.exit_code == 0);
  CHECK(says(alive, "ok", "server", "alive"));
  CHECK(says(alive, "ok", "store", "commits"));
  CHECK(says(alive, "ok", "identity", "whole"));
  CHECK(says(alive, "ok", "server certificate", "(89|90) days"));
  for (const auto port : {server.agents_port(), server.admin_port(), server.notices_port()})
    CHECK(says(alive, "ok", "[a-z]+ port " + std::to_string(port), "held by the running server"));
  CHECK(says(alive, "ok", "wakes port", "held by the running server"));
  const auto document = nlohmann::json::parse(check(server, {"--json"}).output, nullptr, false);
  REQUIRE_FALSE(document.is_discarded());
  CHECK(document["failed"] == 0);

  // It is asked, not looked for: one that does not answer is not called alive.
  server.program().signal(SIGSTOP);
  const auto hanging = check(server);
  server.program().signal(SIGCONT);
  CHECK(hanging.exit_code == 1);
  CHECK_MESSAGE(says(hanging, "failed", "server", "no answer"), hanging.output);

  CHECK(server.stop() == 0);
  const auto stopped = check(server);
  CHECK_MESSAGE(says(stopped, "ok", "server", "not running"), stopped.output);
  CHECK_MESSAGE(says(stopped, "ok", "agents port [0-9]+", "free"), stopped.output);
}

TEST_CASE(
  "check names a port that is somebody else's, a lost identity and descriptors that are missing") {
  server_under_test server;
  server.start();
  CHECK(server.stop() == 0);
  bool v6 = false;
  std::error_code ec;
  const auto thief = muster::net::bind_udp("127.0.0.1", server.notices_port(), 0, v6, ec);
  REQUIRE(thief);
  fs::remove_all(server.data() / "identity");
  const auto done = check(server, {"--agents-connections-max", "16000000"});
  CAPTURE(done.output);
  CHECK(done.exit_code == 1);
  CHECK(says(done, "failed", "notices port [0-9]+", "set notices.port"));
  CHECK(says(done, "failed", "identity", "has run before"));
  CHECK(says(done, "failed", "file descriptors", "LimitNOFILE"));
  CHECK_FALSE(fs::exists(server.data() / "identity")); // it changes nothing
}

TEST_CASE("root does no harm in the directory of the server's own user") {
  if (::getuid() != 0 || !fs::exists(setpriv)) {
    MESSAGE("left out: not root here, or no setpriv");
    return;
  }
  const temporary_directory place;
  fs::permissions(place.path(), fs::perms{0711});
  const auto data = place.path() / "server";
  fs::create_directory(data);
  fs::permissions(data, fs::perms::owner_all);
  REQUIRE(::chown(data.c_str(), nobody, nobody) == 0);
  const auto config = place.write("server.toml", "").string();
  const words as_its_user{setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"};
  const auto server_with = [&](words front, words back) {
    for (const auto& word :
         {std::string{MUSTER_SERVER_PATH}, std::string{"--config"}, config, std::string{"--data"},
          data.string(), std::string{"--agents-port=0"}, std::string{"--notices-port=0"},
          std::string{"--admin-port=0"}, std::string{"--agents-address=127.0.0.1"},
          std::string{"--notices-address=127.0.0.1"}, std::string{"--admin-address=127.0.0.1"}})
      front.push_back(word);
    front.insert(front.end(), back.begin(), back.end());
    return front;
  };
  {
    process server{server_with(as_its_user, {})};
    const auto pin = server.expect("\n  pin +(\\S+)\n");
    REQUIRE_MESSAGE(pin.has_value(), server.output());
    CHECK(run(server_with({}, {"pin"})).output == *pin + "\n");
    const auto seen = run(server_with({}, {"check"}));
    CHECK_MESSAGE(seen.exit_code == 0, seen.output);
    CHECK_MESSAGE(says(seen, "ok", "identity", "whole"), seen.output);
    const auto archive = place.path() / "archive";
    const auto kept = run({"/bin/sh", "-c",
                           "echo 'a long enough passphrase' | \"$0\" --config \"$1\" --data \"$2\" "
                           "identity export \"$3\"",
                           MUSTER_SERVER_PATH, config, data.string(), archive.string()});
    CHECK_MESSAGE(kept.exit_code == 0, kept.output);
    CHECK(fs::exists(archive));
    server.signal(SIGTERM);
    CHECK(server.wait() == 0);
  }
  const auto refused = run(server_with({}, {}));
  CHECK(refused.exit_code == 1);
  CHECK_MESSAGE(refused.output.find("runuser -u nobody") != std::string::npos, refused.output);
  for (const auto& entry : fs::recursive_directory_iterator(data)) {
    struct stat found {};
    CHECK(::lstat(entry.path().c_str(), &found) == 0);
    CHECK_MESSAGE(found.st_uid == nobody, entry.path().string());
  }
}
