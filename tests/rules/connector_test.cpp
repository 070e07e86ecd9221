#include "actors/rules/connector.hpp"

#include "actors/rules/settings_json.hpp"

#include <doctest/doctest.h>

using namespace muster::rules;

namespace {

const std::string good = R"(name = "sshd"
title = "OpenSSH server"

[detect]
packages = ["openssh-server"]
files = ["/usr/sbin/sshd"]

[settings]
file = "/etc/ssh/sshd_config.d/50-muster.conf"
format = "lines"
booleans = "yes/no"
owner = "root"
group = "ssh-users"
mode = "0640"

[defaults]
PermitRootLogin = false
AcceptEnv = ["LANG", "LC_*"]

[commands]
check = ["/usr/sbin/sshd", "-t"]
reload = ["/usr/bin/systemctl", "reload", "ssh"]
status = ["/usr/sbin/sshd", "-T"]
status_format = "lines"
timeout = 10
)";

std::vector<std::string> problems(std::string_view text) {
  const auto out = read_connector(text, "x.toml");
  CHECK(out.good.has_value() == out.problems.empty());
  return out.problems;
}

/// The good one with one line put in the place of another.
std::vector<std::string> changed(std::string_view line, std::string_view by) {
  auto text = good;
  const auto at = text.find(line);
  REQUIRE(at != std::string::npos);
  text.replace(at, line.size(), by);
  return problems(text);
}

} // namespace

TEST_CASE("a connector is read as it is written") {
  const auto out = read_connector(good, "sshd.toml");
  for (const auto& problem : out.problems)
    FAIL_CHECK(problem);
  REQUIRE(out.good);
  const auto& c = *out.good;
  CHECK(c.name == "sshd");
  CHECK(c.title == "OpenSSH server");
  CHECK(c.packages == std::vector<std::string>{"openssh-server"});
  CHECK(c.files == std::vector<std::string>{"/usr/sbin/sshd"});
  CHECK(c.file == "/etc/ssh/sshd_config.d/50-muster.conf");
  CHECK(c.style == settings_file_style{settings_format::lines, flag_words::yes_no, " ", ""});
  CHECK(c.owner == "root");
  CHECK(c.group == "ssh-users");
  CHECK(c.mode == 0640);
  CHECK(to_json(c.defaults) == R"({"AcceptEnv":["LANG","LC_*"],"PermitRootLogin":false})");
  CHECK(c.check == command_line{"/usr/sbin/sshd", "-t"});
  CHECK(c.reload == command_line{"/usr/bin/systemctl", "reload", "ssh"});
  CHECK(c.status == command_line{"/usr/sbin/sshd", "-T"});
  CHECK(c.status_style.format == settings_format::lines);
  CHECK(c.timeout == std::chrono::seconds{10});
}

TEST_CASE("a small connector has sensible defaults") {
  const auto out =
    read_connector("name = 'x'\nsettings.file = '/etc/x.ini'\nsettings.format = 'ini'\n", "x.toml");
  REQUIRE(out.good);
  CHECK(out.good->style.separator == "=");
  CHECK(out.good->mode == 0644);
  CHECK(out.good->owner == "root");
  CHECK(out.good->check.empty());
}

TEST_CASE("a template comes with its connector") {
  const auto out = read_connector("name = 'x'\n[settings]\nfile = '/etc/x'\nformat = "
                                  "'template'\ntemplate = '''\nserver {{ servers }}\n'''\n",
                                  "x.toml");
  REQUIRE(out.good);
  CHECK(out.good->style.pattern == "server {{ servers }}\n");
}

TEST_CASE("every mistake in a connector is one line with its place") {
  using lines = std::vector<std::string>;
  CHECK(changed("title =", "titel =") == lines{"x.toml:2: unknown setting 'titel'"});
  CHECK(changed("format =", "formt =") ==
        lines{"x.toml:10: unknown setting 'formt' in [settings]"});
  CHECK(changed("\"lines\"\nbooleans", "\"xml\"\nbooleans") ==
        lines{"x.toml:10: 'format' is none of json, yaml, ini, lines and template"});
  CHECK(changed("\"0640\"", "\"0646\"") ==
        lines{"x.toml:14: 'mode' would let everybody write the file"});
  CHECK(changed("\"0640\"", "640") ==
        lines{"x.toml:14: 'mode' is written \"0644\": three octal digits"});
  CHECK(changed("\"0640\"", "\"4755\"") ==
        lines{"x.toml:14: 'mode' is written \"0644\": three octal digits"});
  CHECK(changed("\"/usr/sbin/sshd\", \"-t\"", "\"sshd\", \"-t\"") ==
        lines{"x.toml:21: 'check' begins with the absolute path of a program, then its arguments, "
              "each a text"});
  CHECK(changed("[\"/usr/sbin/sshd\", \"-t\"]", "\"/usr/sbin/sshd -t\"") ==
        lines{"x.toml:21: 'check' is a list of 1 to 64 texts"});
  CHECK(changed("[\"/usr/sbin/sshd\", \"-t\"]", "[]") ==
        lines{"x.toml:21: 'check' is a list of 1 to 64 texts"});
  CHECK(changed("timeout = 10", "timeout = 0") ==
        lines{"x.toml:25: 'timeout' is 1 to 600 seconds"});
  CHECK(changed("status_format = \"lines\"\n", "") ==
        lines{"x.toml: a 'status' command needs a 'status_format'"});
  CHECK(
    changed("PermitRootLogin = false", "PermitRootLogin = 2026-11-24") ==
    lines{
      "x.toml:17: a default is a text, number, true or false, list or map of these, not too deep"});
  CHECK(changed("PermitRootLogin = false", "PermitRootLogin = {a = 1}") ==
        lines{"x.toml: [defaults]: 'PermitRootLogin' is a map: a file of lines has none"});
  CHECK(changed("/etc/ssh/", "/etc/../etc/") ==
        lines{"x.toml:9: 'file' is no absolute path of a file"});
  CHECK(changed("\"sshd\"", "\"SSHD\"").at(0).find("lower case") != std::string::npos);
  CHECK(changed("[detect]", "[detec]").at(0).find("x.toml:4: unknown setting 'detec'") == 0);
  CHECK(changed("name = \"sshd\"", "") ==
        lines{"x.toml: 'name' is missing: the application's name in policies"});
  CHECK(changed("booleans =", "template = 'x'\nbooleans =") ==
        lines{"x.toml:11: a 'template' needs format = \"template\""});
  CHECK(problems("settings = 1").at(0) == "x.toml:1: 'settings' is a section: write [settings]");
  CHECK(problems("name = 'x'\nname = 'y'\n").at(0).find("x.toml:2: ") == 0);
  CHECK(problems(std::string(70'000, '#')).at(0) == "x.toml: is larger than a connector can be");
  CHECK(problems("[settings]\ntemplate = '''a\n{{ '''").at(0).find("wrong in its line 2") !=
        std::string::npos);
}

TEST_CASE("several mistakes are told in the order of the file, and not without end") {
  CHECK(problems("timeout = 1\nmode = 2\n").size() == 2);
  std::string many;
  for (int i = 0; i < 30; ++i)
    many += "k" + std::to_string(i) + " = 1\n";
  const auto lines = problems(many);
  REQUIRE(lines.size() == 21);
  CHECK(lines.front() == "x.toml:1: unknown setting 'k0'");
  CHECK(lines.back() == "x.toml: and 10 more");
}

TEST_CASE("no connector that was cut short is taken for a whole one with another program") {
  const auto whole = *read_connector(good, "x").good;
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    const auto out = read_connector(std::string_view{good}.substr(0, cut), "x");
    CHECK(out.good.has_value() == out.problems.empty());
    if (out.good && !out.good->check.empty())
      CHECK(out.good->check == whole.check);
    if (out.good && !out.good->reload.empty())
      CHECK(out.good->reload == whole.reload);
  }
}
