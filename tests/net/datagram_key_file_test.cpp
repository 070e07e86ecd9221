#include "net/datagram_key_file.hpp"

#include "tests/net/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sys/stat.h>

using namespace muster::net;
using namespace muster::net::testing;

namespace {

struct key_file_world {
  key_file_world() {
    owner.device_id.fill(1);
    owner.server_id.fill(2);
    for (std::uint32_t generation : {9U, 8U}) {
      auto& one = keys.emplace_back();
      one.generation = generation;
      one.wake.fill(static_cast<std::uint8_t>(generation));
      one.notice.fill(0xab);
    }
  }
  scratch_directory scratch;
  datagram_key_owner owner;
  std::vector<device_datagram_keys> keys;
  std::string problem;
};

} // namespace

TEST_CASE_FIXTURE(key_file_world, "keys are kept for their owner only, closed to others") {
  REQUIRE(save_datagram_keys(scratch.path(), owner, keys, problem));
  CHECK(load_datagram_keys(scratch.path(), owner, problem) == keys);
  CHECK(problem.empty());
  struct stat found {};
  REQUIRE(::stat((scratch / "datagram.keys").c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0600);
  SUBCASE("another device") { owner.device_id.fill(3); }
  SUBCASE("another server") { owner.server_id.fill(3); }
  CHECK(load_datagram_keys(scratch.path(), owner, problem).empty());
  CHECK_FALSE(problem.empty());
}

TEST_CASE_FIXTURE(key_file_world, "no file is no keys and no problem; what is forgotten is no file") {
  CHECK(load_datagram_keys(scratch.path(), owner, problem).empty());
  CHECK(problem.empty());
  REQUIRE(save_datagram_keys(scratch.path(), owner, keys, problem));
  CHECK(forget_datagram_keys(scratch.path(), problem));
  CHECK(forget_datagram_keys(scratch.path(), problem));
  CHECK(load_datagram_keys(scratch.path(), owner, problem).empty());
  CHECK(problem.empty());
}

TEST_CASE_FIXTURE(key_file_world, "cut or changed at any byte a key file is worth nothing") {
  const auto text = datagram_keys_text(owner, keys);
  REQUIRE(parse_datagram_keys(text, owner));
  for (std::size_t length = 0; length < text.size(); ++length)
    CHECK_FALSE(parse_datagram_keys(text.substr(0, length), owner));
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto other = text;
    other[at] = static_cast<char>(other[at] ^ 1);
    CHECK_FALSE(parse_datagram_keys(other, owner));
  }
  CHECK_FALSE(parse_datagram_keys(text + '\n', owner));
}

TEST_CASE_FIXTURE(key_file_world, "a damaged file is said and passed over") {
  REQUIRE(save_datagram_keys(scratch.path(), owner, keys, problem));
  std::ofstream{scratch / "datagram.keys", std::ios::app} << "more";
  CHECK(load_datagram_keys(scratch.path(), owner, problem).empty());
  CHECK(problem.find("datagram.keys") != std::string::npos);
}
