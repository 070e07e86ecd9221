#include "actors/agent/probe/dpkg.hpp"

#include "net/wire/agent.pb.h"
#include "tests/system/process.hpp"
#include "tests/temp_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <tuple>

namespace muster::actors::probe {

namespace {

const std::string two = "Package: adduser\n"
                        "Status: install ok installed\n"
                        "Maintainer: Debian Adduser Developers <a@debian.org>\n"
                        "Installed-Size: 686\n"
                        "Architecture: all\n"
                        "Version: 3.134\n"
                        "Description: add users\n"
                        " Version: not this one\n"
                        "\n"
                        "Package: libc6\n"
                        "Status: hold ok installed\n"
                        "Architecture: amd64\n"
                        "Multi-Arch: same\n"
                        "Source: glibc (2.36-9)\n"
                        "Version: 2.36-9+deb12u4\n"
                        "\n";

} // namespace

TEST_CASE("an installed package has its name, version, architecture, vendor, source and size") {
  const auto list = parse_dpkg_status(two);
  CHECK(list.complete);
  REQUIRE(list.packages.size() == 2);
  CHECK(list.packages[0].name == "adduser");
  CHECK(list.packages[0].version == "3.134");
  CHECK(list.packages[0].size_bytes == 686 * 1024);
  CHECK(list.packages[0].source == "adduser");
  CHECK(list.packages[1].source == "glibc");
  CHECK(list.packages[1].multi_arch_same);
}

TEST_CASE("what is removed, half installed or nameless is not installed") {
  const auto list =
    parse_dpkg_status("Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
                      "Package: half\nStatus: install ok half-installed\nVersion: 1\n\n"
                      "Status: install ok installed\nVersion: 1\n\n");
  CHECK(list.complete);
  CHECK(list.packages.empty());
}

TEST_CASE("a package list cut at any byte never invents a package and says that it is cut") {
  for (std::size_t cut = 1; cut < two.size(); ++cut) {
    const auto list = parse_dpkg_status(std::string_view{two}.substr(0, cut));
    CHECK(list.packages.size() <= 1);
    for (const auto& p : list.packages)
      CHECK(p.version == "3.134");
    const bool at_a_paragraphs_end = cut == two.find("\n\n") + 2;
    CHECK(list.complete == at_a_paragraphs_end);
  }
}

TEST_CASE("this machine's applications are those that dpkg itself lists") {
  if (!std::filesystem::exists("/usr/bin/dpkg-query"))
    return; // another kind of machine
  const auto query = test::run({"/usr/bin/dpkg-query", "-W", "-f",
                                "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\n"});
  REQUIRE(query.exit_code == 0);
  using line = std::tuple<std::string, std::string, std::string>;
  std::multiset<line> expected;
  std::istringstream text{query.output};
  for (std::string status, name, version, architecture;
       std::getline(text, status, '\t') && std::getline(text, name, '\t') &&
       std::getline(text, version, '\t') && std::getline(text, architecture);)
    if (status == "installed")
      expected.emplace(name, version, architecture);
  REQUIRE(expected.size() > 50);

  wire::applications list;
  REQUIRE(read_applications("/", list));
  std::multiset<line> found;
  for (const auto& item : list.items()) {
    found.emplace(item.name(), item.version(), item.architecture());
    CHECK(item.manager() == "dpkg");
    CHECK(item.installed_at_s() > 0);
  }
  CHECK(found == expected);
}

TEST_CASE("applications come sorted, with the time their files were listed") {
  test::temp_directory root;
  const auto dpkg = root.path() / "var/lib/dpkg";
  std::filesystem::create_directories(dpkg / "info");
  std::ofstream{dpkg / "status"} << "Package: zsh\nStatus: install ok installed\nVersion: 5\n"
                                    "Architecture: amd64\n\n"
                                 << two;
  for (const auto* name : {"zsh", "adduser", "libc6:amd64"})
    std::ofstream{dpkg / "info" / (std::string{name} + ".list")} << "/.\n";
  wire::applications list;
  REQUIRE(read_applications(root.path(), list));
  REQUIRE(list.items_size() == 3);
  CHECK(list.items(0).name() == "adduser");
  CHECK(list.items(1).name() == "libc6");
  CHECK(list.items(2).name() == "zsh");
  for (const auto& item : list.items())
    CHECK(item.installed_at_s() > 1'000'000'000);
}

TEST_CASE("a missing or cut package list is no list") {
  test::temp_directory root;
  wire::applications list;
  CHECK_FALSE(read_applications(root.path(), list));
  std::filesystem::create_directories(root.path() / "var/lib/dpkg");
  std::ofstream{root.path() / "var/lib/dpkg/status"} << two.substr(0, two.size() - 5);
  CHECK_FALSE(read_applications(root.path(), list));
  CHECK(list.items_size() == 0);
}

} // namespace muster::actors::probe
