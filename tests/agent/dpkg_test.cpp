#include "actors/agent/probe/dpkg.hpp"

#include <doctest/doctest.h>

#include <string>

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
  const auto list = parse_dpkg_status("Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
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

} // namespace muster::actors::probe
