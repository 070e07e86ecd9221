// Connector files and settings files on a real disk.
#include "actors/agent/connector_folder.hpp"
#include "actors/agent/limits.hpp"
#include "actors/agent/settings_file_disk.hpp"
#include "actors/agent/settings_hands.hpp"
#include "tests/agent/quiet_log.hpp"
#include "tests/temp_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace muster;
using namespace muster::actors;

namespace {

namespace fs = std::filesystem;

struct folder_world : test::quiet_log {
  folder_world() {
    fs::create_directory(where);
    fs::permissions(where, fs::perms{0755});
  }
  void write(const std::string& name, const std::string& text, unsigned mode = 0644) const {
    std::ofstream{where / name} << text;
    fs::permissions(where / name, fs::perms{mode});
  }
  static std::string connector(const std::string& name) {
    return "name = \"" + name + "\"\n[settings]\nfile = \"/etc/" + name + "\"\nformat = \"lines\"\n";
  }

  test::temp_directory directory;
  fs::path where = directory.path() / "apps.d";
  connector_folder folder{where};
};

rules::connector at(const fs::path& file) {
  rules::connector out;
  out.name = "sshd";
  out.file = file.string();
  out.style.format = rules::settings_format::lines;
  out.mode = 0640;
  return out;
}

std::string text_of(const fs::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

TEST_CASE_FIXTURE(folder_world, "connectors are found, and read again only when something changes") {
  write("sshd.toml", connector("sshd"));
  write("notes.txt", "nothing");
  write(".hidden.toml", connector("hidden"));
  CHECK(folder.look());
  REQUIRE(folder.found().size() == 1);
  CHECK(folder.found().at("sshd").how == found_connector::verdict::good);
  CHECK(folder.found().at("sshd").connector.file == "/etc/sshd");
  CHECK(folder.found().at("sshd").modified_s > 0);
  CHECK_FALSE(folder.look());
  write("chrony.toml", connector("chrony"));
  CHECK(folder.look());
  CHECK(folder.found().size() == 2);
  fs::remove(where / "sshd.toml");
  CHECK(folder.look());
  CHECK(folder.found().size() == 1);
  fs::remove_all(where);
  CHECK(folder.look());
  CHECK(folder.found().empty());
  CHECK_FALSE(folder.look());
}

TEST_CASE_FIXTURE(folder_world, "a file that somebody else could have written is not believed") {
  using verdict = found_connector::verdict;
  SUBCASE("by its group") { write("sshd.toml", connector("sshd"), 0664); }
  SUBCASE("by anybody") { write("sshd.toml", connector("sshd"), 0646); }
  SUBCASE("through the folder") {
    write("sshd.toml", connector("sshd"));
    fs::permissions(where, fs::perms{0777});
  }
  SUBCASE("a link") {
    std::ofstream{directory.path() / "elsewhere"} << connector("sshd");
    fs::create_symlink(directory.path() / "elsewhere", where / "sshd.toml");
  }
  SUBCASE("a folder") { fs::create_directory(where / "sshd.toml"); }
  SUBCASE("a pipe") { REQUIRE(::mkfifo((where / "sshd.toml").c_str(), 0600) == 0); }
  SUBCASE("another user's") {
    if (::geteuid() != 0)
      return;
    write("sshd.toml", connector("sshd"));
    REQUIRE(::chown((where / "sshd.toml").c_str(), 65534, 65534) == 0);
  }
  CHECK(folder.look());
  REQUIRE(folder.found().contains("sshd"));
  CHECK(folder.found().at("sshd").how == verdict::unsafe);
  CHECK(folder.found().at("sshd").problem.find(where.string()) == 0);
  // Mended, it is believed.
  fs::remove_all(where / "sshd.toml");
  fs::permissions(where, fs::perms{0755});
  write("sshd.toml", connector("sshd"));
  CHECK(folder.look());
  CHECK(folder.found().at("sshd").how == verdict::good);
}

TEST_CASE_FIXTURE(folder_world, "a broken file is reported by line, and hides no good one") {
  write("sshd.toml", "name = \"sshd\"\n[settings]\nfile = 7\n");
  CHECK(folder.look());
  CHECK(folder.found().at("sshd").how == found_connector::verdict::broken);
  CHECK(folder.found().at("sshd").problem.starts_with("sshd.toml:3: "));
  write("zz.toml", connector("sshd"));
  CHECK(folder.look());
  CHECK(folder.found().at("sshd").how == found_connector::verdict::good);
  write("zzz.toml", connector("sshd")); // the first by name
  CHECK(folder.look());
  CHECK(folder.found().at("sshd").file == (where / "zz.toml").string());
}

TEST_CASE_FIXTURE(folder_world, "there is an end to how many are read") {
  for (std::size_t i = 0; i < limits::connectors_max + 9; ++i)
    write("a" + std::to_string(100 + i) + ".toml", connector("a" + std::to_string(100 + i)));
  CHECK(folder.look());
  CHECK(folder.found().size() == limits::connectors_max);
}

TEST_CASE_FIXTURE(folder_world, "a settings file is replaced in one step, with its owner and mode") {
  const auto how = at(where / "50-muster.conf");
  const auto before = mark_of(how.file);
  CHECK(look_at_file(how).what == file_look::kind::missing);
  CHECK(write_file(how, "Port 22\n").empty());
  CHECK(mark_of(how.file) != before);
  const auto look = look_at_file(how);
  CHECK(look.what == file_look::kind::regular);
  CHECK(look.content == "Port 22\n");
  CHECK(look.attributes_fit);
  const auto mark = mark_of(how.file);
  CHECK(mark == mark_of(how.file));
  fs::permissions(how.file, fs::perms{0666});
  CHECK(mark_of(how.file) != mark);
  CHECK_FALSE(look_at_file(how).attributes_fit);
  // What a killed writer left is no hindrance, and no daemon would read it.
  const auto draft = where / ".50-muster.conf.muster-new";
  std::ofstream{draft} << "half";
  CHECK(write_file(how, "Port 2222\n").empty());
  CHECK(text_of(how.file) == "Port 2222\n");
  CHECK_FALSE(fs::exists(draft));
  CHECK(std::distance(fs::directory_iterator{where}, fs::directory_iterator{}) == 1);
  CHECK(remove_file(how).empty());
  CHECK(remove_file(how).empty());
  CHECK(look_at_file(how).what == file_look::kind::missing);
}

TEST_CASE_FIXTURE(folder_world, "what is no file of ours to write is a sentence, and stays") {
  auto how = at(where / "50-muster.conf");
  SUBCASE("a link") {
    std::ofstream{directory.path() / "precious"} << "precious";
    fs::create_symlink(directory.path() / "precious", how.file);
    CHECK(look_at_file(how).what == file_look::kind::other);
    CHECK(write_file(how, "x").find("is no regular file") != std::string::npos);
    CHECK(text_of(directory.path() / "precious") == "precious");
  }
  SUBCASE("in no folder") {
    how.file = (where / "none" / "a.conf").string();
    CHECK(write_file(how, "x").find("No such file or directory") != std::string::npos);
  }
  SUBCASE("of nobody") {
    if (::geteuid() != 0)
      return;
    how.owner = "no-such-user";
    CHECK(write_file(how, "x").find("there is no user 'no-such-user'") == 0);
    CHECK_FALSE(fs::exists(how.file));
  }
  SUBCASE("a pipe") {
    REQUIRE(::mkfifo(how.file.c_str(), 0600) == 0);
    CHECK(look_at_file(how).what == file_look::kind::other);
  }
  SUBCASE("too large") {
    std::ofstream{how.file} << std::string(rules::settings_file_bytes_max + 1, 'x');
    CHECK(look_at_file(how).what == file_look::kind::unreadable);
  }
}

TEST_CASE_FIXTURE(folder_world, "packages are looked up in dpkg's own file, whenever that has changed") {
  const auto status = directory.path() / "var/lib/dpkg/status";
  fs::create_directories(status.parent_path());
  std::ofstream{status} << "Package: openssh-server\nStatus: install ok installed\nVersion: 1\n"
                           "Architecture: all\n\n";
  const auto hands = hands_on_this_machine(where, directory.path());
  CHECK(hands.installed({"chrony", "openssh-server"}));
  CHECK_FALSE(hands.installed({"chrony"}));
  std::ofstream{status, std::ios::app} << "Package: chrony\nStatus: install ok installed\nVersion: 1\n"
                                          "Architecture: all\n\n";
  CHECK(hands.installed({"chrony"}));
}
