#include "apps/common/config_file.hpp"
#include "tests/temp_directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

using namespace muster;
using namespace std::chrono_literals;

namespace {

/// A program with a setting of every kind.
struct program {
  std::filesystem::path data = "/var/lib/x";
  std::uint16_t port = 13000;
  std::string address = "::";
  bool keep = false;
  std::chrono::milliseconds period = 15min;
  std::uint64_t bytes = 64ULL << 20;
  std::uint64_t days = 30;
  std::string level = "info";
  std::string server;
  config::table settings;

  program() {
    settings.path("data_directory", data, "where everything is").flag = "--data";
    settings.port("agents.port", port, "TCP port for agents", false);
    settings.address("agents.address", address, "where agents connect");
    settings.boolean("agents.keep", keep, "keep connections");
    settings.duration("sync.period", period, {10s, 24h}, "time between two syncs");
    settings.size("events.bytes_max", bytes, {1024, 1ULL << 40}, "bound of all events");
    settings.number("events.retention.days", days, {1, 3650}, "how long events stay");
    settings.choice("log.level", level, {"debug", "info"}, "how much is logged");
    settings.text(
      "agents.server", server, "HOST without spaces",
      [](const std::string& text) { return text.find(' ') == std::string::npos; },
      "the server's name");
  }

  std::string first_problem(const std::string& text) {
    const auto problems = config::read_text(text, "x.toml", settings);
    return problems.empty() ? "" : problems.front();
  }
};

} // namespace

TEST_CASE("a good file fills the program's settings and says where each came from") {
  program p;
  const auto problems = config::read_text("data_directory = '/srv'\n"
                                          "[agents]\n"
                                          "port = 14000\n"
                                          "address = \"127.0.0.1\"\n"
                                          "keep = true\n"
                                          "server = \"muster.example\"\n"
                                          "[sync]\n"
                                          "period = \"1h30m\"\n"
                                          "[events]\n"
                                          "bytes_max = \"2GB\"\n"
                                          "retention.days = 90\n"
                                          "[log]\n"
                                          "level = \"debug\"\n",
                                          "x.toml", p.settings);
  CHECK(problems.empty());
  CHECK(p.data == "/srv");
  CHECK(p.port == 14000);
  CHECK(p.address == "127.0.0.1");
  CHECK(p.keep);
  CHECK(p.server == "muster.example");
  CHECK(p.period == 90min);
  CHECK(p.bytes == 2ULL << 30);
  CHECK(p.days == 90);
  CHECK(p.level == "debug");
  CHECK(p.settings.find("agents.port")->source == "x.toml:3");
  CHECK(p.settings.find("events.retention.days")->source == "x.toml:11");
}

TEST_CASE("an empty file leaves every default") {
  program p;
  CHECK(config::read_text("", "x.toml", p.settings).empty());
  CHECK(config::read_text("# nothing\n[agents]\n", "x.toml", p.settings).empty());
  CHECK(p.port == 13000);
  CHECK(p.settings.find("agents.port")->source == "default");
}

TEST_CASE("what is unknown is named with its line and the word that was probably meant") {
  program p;
  CHECK(p.first_problem("[agents]\nprot = 1\n") ==
        "x.toml:2: unknown setting 'agents.prot' (did you mean 'agents.port'?)");
  CHECK(p.first_problem("[agent]\n\nport = 1\n") ==
        "x.toml:3: unknown setting 'agent.port' (did you mean 'agents.port'?)");
  CHECK(p.first_problem("zzzzzz = 1\n") == "x.toml:1: unknown setting 'zzzzzz'");
  CHECK(p.first_problem("[nothing]\n") == "x.toml:1: unknown section 'nothing'");
  CHECK(p.first_problem("agents = 3\n") == "x.toml:1: 'agents' is a section: write [agents]");
  CHECK(p.first_problem("[log.level]\nx = 1\n") ==
        "x.toml:1: 'log.level' must be one of \"debug\" or \"info\", not a section");
}

TEST_CASE("a wrong type or value names key, bound and line") {
  program p;
  const auto wrong = [&](const std::string& line) { return p.first_problem(line); };
  CHECK(wrong("agents.port = 70000") ==
        "x.toml:1: 'agents.port' must be a whole number from 1 to 65535, not 70000");
  CHECK(wrong("agents.port = 0") ==
        "x.toml:1: 'agents.port' must be a whole number from 1 to 65535, not 0");
  CHECK(wrong("agents.port = -1") ==
        "x.toml:1: 'agents.port' must be a whole number from 1 to 65535, not -1");
  CHECK(wrong("agents.port = \"13000\"") ==
        "x.toml:1: 'agents.port' must be a whole number from 1 to 65535, not \"13000\"");
  CHECK(wrong("agents.port = true") ==
        "x.toml:1: 'agents.port' must be a whole number from 1 to 65535, not true");
  CHECK(wrong("agents.port = [1]") ==
        "x.toml:1: 'agents.port' must be a whole number from 1 to 65535, not a list");
  CHECK(wrong("agents.port = 1979-05-27") ==
        "x.toml:1: 'agents.port' must be a whole number from 1 to 65535, not a date or time");
  CHECK(wrong("agents.keep = 1") == "x.toml:1: 'agents.keep' must be true or false, not 1");
  CHECK(wrong("agents.keep = \"true\"") ==
        "x.toml:1: 'agents.keep' must be true or false, not \"true\"");
  CHECK(wrong("sync.period = 900") ==
        "x.toml:1: 'sync.period' must be a duration from \"10s\" to \"1d\", not 900");
  CHECK(wrong("sync.period = \"5s\"") ==
        "x.toml:1: 'sync.period' must be a duration from \"10s\" to \"1d\", not \"5s\"");
  CHECK(wrong("events.bytes_max = \"100B\"") ==
        "x.toml:1: 'events.bytes_max' must be a size such as \"64MB\", at least \"1KB\", at most "
        "\"1TB\", not \"100B\"");
  CHECK(wrong("log.level = \"loud\"") ==
        "x.toml:1: 'log.level' must be one of \"debug\" or \"info\", not \"loud\"");
  CHECK(wrong("agents.address = \"localhost\"") ==
        "x.toml:1: 'agents.address' must be a numeric address such as \"0.0.0.0\" or \"::\", not "
        "\"localhost\"");
  CHECK(wrong("agents.server = \"a b\"") ==
        "x.toml:1: 'agents.server' must be HOST without spaces, not \"a b\"");
  CHECK(wrong("data_directory = 3") == "x.toml:1: 'data_directory' must be a path, not 3");
  CHECK(wrong("data_directory = \"a\\u0000b\"") ==
        "x.toml:1: 'data_directory' must be a path, not \"a\\u0000b\"");
  CHECK(p.port == 13000);
  CHECK(p.data == "/var/lib/x");
}

TEST_CASE("all problems of a file are told, in its order, as far as that helps") {
  program p;
  auto problems =
    config::read_text("[sync]\nperiod = 1\n[agents]\nport = 0\nzzzzzz = 1\n", "x.toml", p.settings);
  REQUIRE(problems.size() == 3);
  CHECK(problems[0].starts_with("x.toml:2: 'sync.period'"));
  CHECK(problems[1].starts_with("x.toml:4: 'agents.port'"));
  CHECK(problems[2].starts_with("x.toml:5: unknown setting 'agents.zzzzzz'"));

  std::string many;
  for (int index = 0; index < 30; ++index)
    many += "unknown_" + std::to_string(index) + " = 1\n";
  problems = config::read_text(many, "x.toml", p.settings);
  REQUIRE(problems.size() == config::problems_max + 1);
  CHECK(problems.back() == "x.toml: and 10 more");
}

TEST_CASE("what is no TOML is one line with its number") {
  program p;
  for (const std::string text : {"[agents\nport = 1\n", "a = \n", "a = 1\na = 2\n", "= 1\n",
                                 "a = \"\x01\"\n", "a = \xff\n"}) {
    const auto problems = config::read_text(text, "x.toml", p.settings);
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].starts_with("x.toml:"));
    CHECK(problems[0].find('\n') == std::string::npos);
  }
  CHECK(p.first_problem(std::string(config::file_bytes_max + 1, '\n')) ==
        "x.toml: larger than a configuration file can be (1MB)");
}

TEST_CASE("keys from strangers cannot write control characters or novels into messages") {
  program p;
  const auto escaped = p.first_problem("\"a\\u001b[31m\" = 1\n");
  CHECK(!escaped.empty());
  CHECK(escaped.find('\x1b') == std::string::npos);
  CHECK(p.first_problem(std::string(3000, 'k') + " = 1\n").size() < 200);
  CHECK(p.first_problem("agents.server = \"" + std::string(3000, ' ') + "\"\n").size() < 200);
}

TEST_CASE("files that cannot be read are told apart from files that need not be there") {
  program p;
  const test::temp_directory scratch;
  const auto missing = scratch.path() / "none.toml";
  CHECK(config::read_file(missing, true, p.settings).empty());
  const auto problems = config::read_file(missing, false, p.settings);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0] == missing.string() + ": cannot be read: No such file or directory");
  CHECK(config::read_file(scratch.path(), true, p.settings).front() ==
        scratch.path().string() + ": is a directory, not a configuration file");
  const auto file = scratch.path() / "x.toml";
  std::ofstream(file) << "[agents]\nport = 4711\n";
  CHECK(config::read_file(file, false, p.settings).empty());
  CHECK(p.port == 4711);
}

TEST_CASE("the text of a flag is judged like the file's value") {
  program p;
  auto& port = *p.settings.find("agents.port");
  CHECK(config::assign_text(port, "80", "--agents-port").empty());
  CHECK(p.port == 80);
  CHECK(port.source == "--agents-port");
  CHECK(config::assign_text(port, "80x", "--agents-port") ==
        "--agents-port: must be a whole number from 1 to 65535, not 80x");
  CHECK(!config::assign_text(port, "", "--agents-port").empty());
  CHECK(!config::assign_text(port, "99999999999999999999", "--agents-port").empty());
  CHECK(config::assign_text(*p.settings.find("agents.keep"), "true", "--agents-keep").empty());
  CHECK(p.keep);
  CHECK(config::assign_text(*p.settings.find("agents.keep"), "yes", "--agents-keep") ==
        "--agents-keep: must be true or false, not yes");
  CHECK(config::assign_text(*p.settings.find("sync.period"), "1h", "--sync-period").empty());
  CHECK(p.period == 1h);
}

TEST_CASE("the example changes nothing, and with its lines switched on still does not") {
  program p;
  const auto text = config::example(p.settings, "How x is set up.");
  CHECK(text.find("[agents]\n") != std::string::npos);
  CHECK(text.find("# TCP port for agents. A whole number from 1 to 65535.\n#port = 13000\n") !=
        std::string::npos);
  CHECK(config::read_text(text, "x.toml", p.settings).empty());

  std::string on;
  std::string line;
  for (const char c : text) {
    line += c;
    if (c != '\n')
      continue;
    const bool setting = line.starts_with("#") && line[1] != ' ' && line[1] != '\n';
    on += setting ? line.substr(1) : line;
    line.clear();
  }
  CHECK(config::read_text(on, "x.toml", p.settings).empty());
  for (const auto& s : p.settings.all()) {
    CHECK_MESSAGE(s.source != "default", s.key);
    CHECK(s.show() == s.default_text);
  }
}

TEST_CASE("the check shows every value with where it comes from") {
  program p;
  REQUIRE(config::read_text("log.level = \"debug\"\n", "x.toml", p.settings).empty());
  const auto text = config::effective(p.settings);
  CHECK(text.find("log.level ") != std::string::npos);
  CHECK(text.find("# x.toml:1\n") != std::string::npos);
  CHECK(text.find("= 13000 ") != std::string::npos);
}
