#include "tests/system/process.hpp"

#include <doctest/doctest.h>

#include <csignal>

using namespace muster::test;
using namespace std::chrono_literals;

TEST_CASE("a program's exit code and output are seen") {
  const auto done = run({"/bin/sh", "-c", "echo one; echo two >&2; exit 7"});
  CHECK(done.exit_code == 7);
  CHECK(done.output == "one\ntwo\n");
}

TEST_CASE("a line is waited for, and its group is what comes back") {
  process child{{"/bin/sh", "-c", "echo port=4711; exec tail -f /dev/null"}};
  CHECK(child.expect("port=([0-9]+)") == "4711");
  CHECK_FALSE(child.expect("never", 20ms));
  child.signal(SIGTERM);
  CHECK(child.wait() == 128 + SIGTERM);
}

TEST_CASE("a program that still runs is not said to have ended") {
  process child{{"/usr/bin/tail", "-f", "/dev/null"}};
  CHECK_FALSE(child.wait(20ms));
}
