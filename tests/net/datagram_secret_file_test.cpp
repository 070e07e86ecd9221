#include "net/datagram_secret_file.hpp"

#include "net/identity_archive.hpp"
#include "net/server_identity.hpp"
#include "tests/net/datagram_world.hpp"
#include "tests/net/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace muster::net;
using namespace muster::net::testing;

namespace {

constexpr std::int64_t now_s = 1'800'000'000;

const datagram_secret first{1, all<32>(1)};
const datagram_secret second{1'800'000'000, all<32>(2)};

struct rotation_world {
  scratch_directory scratch;
  std::filesystem::path directory = scratch.path() / "identity";
  std::string problem;

  [[nodiscard]] server_identity identity() {
    auto out = load_or_make_server_identity(directory, now_s, problem);
    REQUIRE_MESSAGE(out.has_value(), problem);
    return *std::move(out);
  }
  [[nodiscard]] datagram_secrets rotate(std::int64_t at_s = now_s) {
    const auto out = rotate_datagram_secrets(directory, at_s, problem);
    REQUIRE_MESSAGE(out.has_value(), problem);
    return *out;
  }
};

} // namespace

TEST_CASE(
  "datagram secrets come out of their file as they went in, and cut or changed not at all") {
  for (const auto& secrets : {datagram_secrets{second, first}, datagram_secrets{first, {}}}) {
    const auto text = datagram_secrets_text(secrets);
    REQUIRE(parse_datagram_secrets(text));
    CHECK(*parse_datagram_secrets(text) == secrets);
    for (std::size_t length = 0; length < text.size(); ++length)
      CHECK_FALSE(parse_datagram_secrets(text.substr(0, length)));
    for (std::size_t at = 0; at < text.size(); ++at) {
      auto other = text;
      other[at] = other[at] == '0' ? '1' : '0';
      if (other != text)
        CHECK_FALSE(parse_datagram_secrets(other));
    }
    CHECK_FALSE(parse_datagram_secrets(text + '\n'));
  }
  CHECK_FALSE(parse_datagram_secrets(datagram_secrets_text({first, second}))); // the newest first
  CHECK_FALSE(parse_datagram_secrets(datagram_secrets_text({{0, all<32>(1)}, {}})));
}

TEST_CASE("a new generation has a secret of its own and a number that was never used before") {
  const auto once = rotated({first, {}}, now_s);
  CHECK(once.newest.generation == now_s);
  CHECK(once.newest.value != first.value);
  CHECK(once.previous == first);
  const auto twice = rotated(once, now_s - 5); // the clock was set back
  CHECK(twice.newest.generation == now_s + 1);
  CHECK(twice.previous == once.newest);
  CHECK(rotated({first, {}}, std::int64_t{1} << 40).newest.generation == UINT32_MAX);
}

TEST_CASE_FIXTURE(rotation_world,
                  "a rotation is on the disk when it is answered, and survives starts and moves") {
  const auto before = identity();
  CHECK(before.datagram.newest.generation == 1);
  CHECK_FALSE(before.datagram.previous);

  const auto once = rotate();
  CHECK(once.previous == before.datagram.newest);
  CHECK(identity().datagram == once);
  const auto twice = rotate();
  CHECK(twice.previous == once.newest);
  CHECK(identity().datagram == twice);
  CHECK(look_at_server_identity(directory, problem)->datagram == twice);
  CHECK(identity().server_id == before.server_id);

  const auto archive = export_server_identity(directory, "a long enough passphrase", problem);
  REQUIRE_MESSAGE(archive.has_value(), problem);
  const auto elsewhere = scratch.path() / "elsewhere";
  REQUIRE(import_server_identity(elsewhere, *archive, "a long enough passphrase", problem));
  CHECK(load_or_make_server_identity(elsewhere, now_s, problem)->datagram == twice);
}

TEST_CASE_FIXTURE(
  rotation_world,
  "a damaged file of datagram secrets is named with its remedy, and removing it is one") {
  const auto before = identity();
  const auto good = rotate();
  const auto file = directory / "datagram.secrets";
  std::filesystem::resize_file(file, 40);
  CHECK_FALSE(load_or_make_server_identity(directory, now_s, problem));
  CHECK(problem.find("datagram.secrets") != std::string::npos);
  CHECK(problem.find("remove it") != std::string::npos);
  CHECK_FALSE(rotate_datagram_secrets(directory, now_s, problem));
  CHECK_FALSE(export_server_identity(directory, "a long enough passphrase", problem));
  std::filesystem::remove(file);
  CHECK(identity().datagram == before.datagram);
  // What comes next is not taken for what devices may hold already.
  CHECK(rotate(now_s + 1).newest.generation != good.newest.generation);
}

TEST_CASE_FIXTURE(rotation_world, "a rotation that cannot be written changes nothing") {
  const auto before = identity();
  std::filesystem::create_directory(directory / "datagram.secrets.new"); // in the way
  CHECK_FALSE(rotate_datagram_secrets(directory, now_s, problem));
  CHECK(problem.find("datagram.secrets") != std::string::npos);
  CHECK(identity().datagram == before.datagram);
  CHECK_FALSE(rotate_datagram_secrets(scratch.path() / "none", now_s, problem));
  CHECK_FALSE(problem.empty());
}
