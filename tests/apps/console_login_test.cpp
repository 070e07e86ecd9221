#include "tests/apps/console_world.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <fstream>

using namespace muster;
using muster::test::console_world;
using muster::test::noon;

namespace {

const std::string pin(64, 'b');

struct world : console_world {
  world() {
    forget();
    server.pin = pin;
    server.on("POST /login", 200,
              R"({"token":"t0k3n","expiresUs":")" + std::to_string(noon + 43'200'000'000) +
                R"(","serverId":"0123456789abcdef0123456789abcdef"})");
  }
};

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : 0;
}

} // namespace

TEST_CASE_FIXTURE(world, "a log-in with a pin asks for user and password and remembers the rest") {
  person.person = true;
  person.answers = {"", "secret"};
  CHECK(run({"login", "https://muster.example", "--pin", pin}) == exit_fine);
  CHECK(person.questions ==
        std::vector<std::string>{"User [admin]: ", "(hidden) Password of admin: "});
  CHECK(person.printed ==
        "Logged in to https://muster.example:13299 as admin; the log-in ends in 12 h.\n");
  REQUIRE(server.asked.size() == 1);
  CHECK(server.asked[0].body == R"({"user":"admin","password":"secret"})");
  CHECK(server.asked[0].headers.count("authorization") == 0);
  const auto p = remembered();
  REQUIRE(p);
  CHECK(p->url() == "https://muster.example:13299");
  CHECK(p->pin == pin);
  CHECK(p->token == "t0k3n");
  CHECK(p->server_id == "0123456789abcdef0123456789abcdef");
  CHECK(mode_of(directory()) == 0700);
  CHECK(mode_of(directory() / "login.json") == 0600);
}

TEST_CASE_FIXTURE(world, "first contact shows the fingerprint and trusts only after a yes") {
  person.person = true;
  person.answers = {"y", "anna", "secret"};
  CHECK(run({"login", "muster.example:4711"}) == exit_fine);
  CHECK(person.noted.find("BB:BB:BB") != std::string::npos);
  CHECK(person.noted.find(pin) != std::string::npos);
  CHECK(person.questions[0] == "Trust this server from now on? [y/N] ");
  CHECK(remembered()->pin == pin);
  CHECK(remembered()->user == "anna");
}

TEST_CASE_FIXTURE(world, "first contact without a yes sends no password and remembers nothing") {
  person.person = true;
  for (const auto* answer : {"", "n", "maybe"}) {
    person.answers = {answer};
    CHECK(run({"login", "muster.example"}) == exit_declined);
  }
  CHECK(server.asked.empty());
  CHECK_FALSE(remembered());
}

TEST_CASE_FIXTURE(world, "first contact where nobody can be asked needs the pin") {
  environment["MUSTER_PASSWORD"] = "secret";
  CHECK(run({"login", "muster.example"}) == exit_unreachable);
  CHECK(person.noted.find("give --pin") != std::string::npos);
  CHECK(server.asked.empty());
  CHECK(run({"login", "muster.example", "--pin", "SHA256:" + pin}) == exit_fine);
}

TEST_CASE_FIXTURE(world, "a server that strangers vouch for needs no question") {
  server.pin.clear();
  environment["MUSTER_PASSWORD"] = "secret";
  CHECK(run({"login", "muster.example"}) == exit_fine);
  CHECK(remembered()->pin.empty());
}

TEST_CASE_FIXTURE(world, "whoever logs in again is not asked about the server again") {
  environment["MUSTER_PASSWORD"] = "secret";
  REQUIRE(run({"login", "muster.example", "--pin", pin}) == exit_fine);
  REQUIRE(run({"login", "muster.example"}) == exit_fine);
  CHECK(server.connected_as.back().pin == pin);
  CHECK(server.connected_as.back().server_id == "0123456789abcdef0123456789abcdef");
  CHECK(run({"login", "other.example"}) == exit_unreachable);
}

TEST_CASE_FIXTURE(world, "passwords come from a file or the environment, never from the line") {
  std::ofstream(file("password")) << "from file\nsecond line\n";
  environment["MUSTER_PASSWORD"] = "from environment";
  CHECK(run({"login", "s", "--pin", pin, "--user", "anna", "--password-file",
             file("password").string()}) == exit_fine);
  CHECK(server.asked.back().body == R"({"user":"anna","password":"from file"})");
  CHECK(run({"login", "s", "--pin", pin}) == exit_fine);
  CHECK(server.asked.back().body == R"({"user":"admin","password":"from environment"})");
  environment.clear();
  CHECK(run({"login", "s", "--pin", pin}) == exit_usage);
  CHECK(run({"login", "s", "--pin", pin, "--password", "x"}) == exit_usage);
  CHECK(run({"login", "s", "--pin", pin, "--password-file", "/nowhere/at/all"}) == exit_usage);
  std::ofstream(file("empty")) << "\n";
  CHECK(run({"login", "s", "--pin", pin, "--password-file", file("empty").string()}) == exit_usage);
}

TEST_CASE_FIXTURE(world, "an address that is none is told before anything is tried") {
  CHECK(run({"login", "http://muster.example", "--pin", pin}) == exit_usage);
  CHECK(person.noted == "muster: 'http://muster.example': the admin port speaks HTTPS only\n");
  for (const auto* url : {"https://", "https://a b", "https://a:0", "https://a:70000", "a/path"})
    CHECK_MESSAGE(run({"login", url, "--pin", pin}) == exit_usage, url);
  CHECK(run({"login", "a", "--pin", "abc"}) == exit_usage);
  CHECK(server.connected_as.empty());
}

TEST_CASE_FIXTURE(world, "a wrong password is the server's sentence and remembers nothing") {
  environment["MUSTER_PASSWORD"] = "wrong";
  server.on("POST /login", 401,
            R"({"title":"Not logged in","detail":"user or password is wrong"})");
  CHECK(run({"login", "s", "--pin", pin}) == exit_unreachable);
  CHECK(person.noted == "muster: Not logged in: user or password is wrong\n");
  server.on("POST /login", 429, R"({"title":"Too many attempts","detail":"wait 60 s"})");
  CHECK(run({"login", "s", "--pin", pin}) == exit_refused);
  CHECK_FALSE(remembered());
}

TEST_CASE_FIXTURE(world, "a server that cannot be reached is one line") {
  environment["MUSTER_PASSWORD"] = "secret";
  server.unreachable = "cannot connect to s port 13299 (10.0.0.1: Connection refused)";
  CHECK(run({"login", "s", "--pin", pin}) == exit_unreachable);
  CHECK(person.noted == "muster: cannot connect to s port 13299 (10.0.0.1: Connection refused)\n");
}

TEST_CASE_FIXTURE(console_world, "logging out forgets the token and keeps whom to trust") {
  server.on("POST /logout", 204, "");
  CHECK(run({"logout"}) == exit_fine);
  CHECK(server.asked[0].headers.at("authorization") == "Bearer the-token");
  CHECK(remembered()->token.empty());
  CHECK(remembered()->pin == std::string(64, 'a'));
  CHECK(run({"logout"}) == exit_fine);
  CHECK(person.noted == "Not logged in to https://server.example:13299.\n");
  CHECK(server.asked.size() == 1);
  CHECK(run({"devices"}) == exit_unreachable);
  CHECK(person.noted ==
        "muster: not logged in; log in first: muster login https://server.example:13299\n");
}

TEST_CASE_FIXTURE(console_world, "logging out works without the server") {
  server.unreachable = "cannot connect";
  CHECK(run({"logout"}) == exit_fine);
  CHECK(remembered()->token.empty());
}

TEST_CASE_FIXTURE(console_world, "a password is changed only when it was typed the same twice") {
  server.on("POST /password", 204, "");
  person.person = true;
  person.answers = {"old", "new", "other"};
  CHECK(run({"passwd"}) == exit_declined);
  CHECK(server.asked.empty());
  person.answers = {"old", "new", "new"};
  CHECK(run({"passwd"}) == exit_fine);
  CHECK(server.asked.back().body == R"({"oldPassword":"old","newPassword":"new"})");
}

TEST_CASE_FIXTURE(console_world, "whoami tells user, role and server") {
  server.on("GET /whoami", 200, R"({"user":"admin","role":"administrator","serverId":"00ff"})");
  CHECK(run({"whoami"}) == exit_fine);
  CHECK(person.printed == "User         admin\n"
                          "Role         administrator\n"
                          "Server       https://server.example:13299\n"
                          "Server id    00ff\n"
                          "Log-in ends  in 1 h\n");
  CHECK(run({"whoami", "--json"}) == exit_fine);
  CHECK(person.printed == R"({"user":"admin","role":"administrator","serverId":"00ff"})"
                          "\n");
}

TEST_CASE_FIXTURE(console_world, "a log-in that has ended says how to get a new one") {
  server.on("GET /whoami", 401, R"({"title":"Not logged in"})");
  CHECK(run({"whoami"}) == exit_unreachable);
  CHECK(person.noted ==
        "muster: the log-in has ended; log in again: muster login https://server.example:13299\n");
}

TEST_CASE_FIXTURE(console_world, "a remembered log-in that others can read is refused") {
  ::chmod((directory() / "login.json").c_str(), 0644);
  CHECK(run({"whoami"}) == exit_failed);
  CHECK(person.noted.find("chmod 600") != std::string::npos);
}

TEST_CASE("what is remembered is read back, and nothing else is") {
  console::profile p;
  p.host = "::1";
  p.port = 1;
  p.pin = pin;
  p.user = "ü\"";
  p.token = "t";
  p.expires_us = 5;
  const auto back = console::profile_from_json(console::to_json(p));
  REQUIRE(back);
  CHECK(back->url() == "https://[::1]:1");
  CHECK(back->user == "ü\"");
  CHECK(back->expires_us == 5);
  for (const auto* wrong : {"", "[]", "{}", R"({"host":"a"})", R"({"host":"a","port":0})",
                            R"({"host":"a","port":70000})", R"({"host":"a","port":1,"pin":"x"})",
                            R"({"host":3,"port":1})"})
    CHECK_MESSAGE(!console::profile_from_json(wrong), wrong);
}
