#include "apps/common/command_line.hpp"

#include "apps/common/config_flags.hpp"
#include "tests/temp_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

using namespace muster;

namespace {

/// Made as server and agent are made.
struct program {
  std::uint16_t port = 1;
  bool keep = false;
  config::table settings;
  CLI::App app{"a test", "prog"};
  std::unique_ptr<config::flags> flags;

  explicit program(const std::filesystem::path& default_file) {
    settings.port("agents.port", port, "TCP port");
    settings.boolean("keep", keep, "stay");
    app.fallthrough();
    app.add_subcommand("check-config", "look at the configuration");
    flags = std::make_unique<config::flags>(app, settings, default_file);
  }

  std::vector<std::string> load(const std::vector<std::string>& words) {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    app.parse(reversed);
    return flags->load();
  }

  std::string problem(const std::vector<std::string>& words) {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    try {
      app.parse(reversed);
    } catch (const CLI::ParseError& why) {
      return usage_problem(app, why);
    }
    return {};
  }
};

} // namespace

TEST_CASE("a flag comes before the file, the file before the default") {
  const test::temp_directory scratch;
  const auto file = scratch.path() / "x.toml";
  std::ofstream(file) << "keep = true\n[agents]\nport = 2\n";
  program by_file{file};
  CHECK(by_file.load({}).empty());
  CHECK(by_file.port == 2);
  CHECK(by_file.keep);
  program by_flag{file};
  CHECK(by_flag.load({"--agents-port", "3", "--keep=false"}).empty());
  CHECK(by_flag.port == 3);
  CHECK_FALSE(by_flag.keep);
  program after_command{file};
  CHECK(after_command.load({"check-config", "--agents-port", "4"}).empty());
  CHECK(after_command.port == 4);
}

TEST_CASE("the default file may be missing, a named one may not") {
  const test::temp_directory scratch;
  const auto missing = (scratch.path() / "none.toml").string();
  program by_default{missing};
  CHECK(by_default.load({}).empty());
  program by_name{"/nowhere"};
  const auto problems = by_name.load({"--config", missing});
  REQUIRE(problems.size() == 1);
  CHECK(problems[0] == missing + ": cannot be read: No such file or directory");
}

TEST_CASE("a wrong flag is one line with the flag's name") {
  program p{"/nowhere"};
  const auto problems = p.load({"--agents-port", "x"});
  REQUIRE(problems.size() == 1);
  CHECK(problems[0] == "--agents-port: must be a whole number from 0 to 65535, not x");
}

TEST_CASE("what is mistyped on the command line is told with what was meant") {
  program p{"/nowhere"};
  CHECK(p.problem({"--agents-prot", "1"}) ==
        "unknown option '--agents-prot' (did you mean '--agents-port'?) (see prog --help)");
  CHECK(p.problem({"--agents-prot=1"}) ==
        "unknown option '--agents-prot' (did you mean '--agents-port'?) (see prog --help)");
  CHECK(p.problem({"chek-config"}) ==
        "unknown command 'chek-config' (did you mean 'check-config'?) (see prog --help)");
  CHECK(p.problem({"check-config"}).empty());
}
