#include "net/identity_archive.hpp"

#include "net/server_identity.hpp"
#include "tests/net/scratch_directory.hpp"
#include "tests/net/tls_world.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace muster::net;
using namespace muster::net::testing;

namespace {

namespace fs = std::filesystem;

constexpr std::string_view passphrase = "correct horse battery";
constexpr scrypt_cost cheap{.log2_n = 4};

const directory_contents some_files{{"a", ""}, {"b", std::string(300, 'b')}, {"c.pem", "x\0y"}};

struct archive_world {
  std::int64_t now_s = machine_now_s();
  scratch_directory scratch;
  fs::path directory = scratch / "identity";
  std::string problem;

  server_identity start(const fs::path& where) {
    auto out = load_or_make_server_identity(where, now_s, problem);
    REQUIRE_MESSAGE(out.has_value(), problem);
    return *std::move(out);
  }
};

} // namespace

TEST_CASE("files come out of an archive as they went in") {
  std::string problem;
  const auto archive = seal_identity(some_files, passphrase, cheap);
  CHECK(archive.starts_with("MUSTERID"));
  CHECK(open_identity(archive, passphrase, problem) == some_files);
  CHECK(problem.empty());
  CHECK(seal_identity(some_files, passphrase, cheap) != archive);
  CHECK(archive.find("c.pem") == std::string::npos);
}

TEST_CASE("a wrong passphrase opens nothing") {
  std::string problem;
  const auto archive = seal_identity(some_files, passphrase, cheap);
  for (const auto* wrong : {"", "correct horse batter", "correct horse battery "}) {
    CHECK_FALSE(open_identity(archive, wrong, problem));
    CHECK(problem.find("passphrase is wrong") != std::string::npos);
  }
}

TEST_CASE("an archive cut or changed at any byte opens nothing") {
  std::string problem;
  const auto archive = seal_identity({{"a", "content"}}, passphrase, cheap);
  for (std::size_t at = 0; at < archive.size(); ++at) {
    CAPTURE(at);
    CHECK_FALSE(open_identity(archive.substr(0, at), passphrase, problem));
    CHECK_FALSE(problem.empty());
    if (at == 9) // the cost: tried below
      continue;
    auto changed = archive;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    CHECK_FALSE(open_identity(changed, passphrase, problem));
    CHECK_FALSE(problem.empty());
  }
  CHECK_FALSE(open_identity(archive + "x", passphrase, problem));
}

TEST_CASE("an archive that asks for too much work is refused before any") {
  std::string problem;
  auto archive = seal_identity(some_files, passphrase, cheap);
  for (const auto& [at, figure] :
       {std::pair{9, 0}, {9, 21}, {9, 63}, {9, 255}, {10, 0}, {11, 0}, {11, 5}, {11, 255}}) {
    auto greedy = archive;
    greedy[static_cast<std::size_t>(at)] = static_cast<char>(figure);
    CHECK_FALSE(open_identity(greedy, passphrase, problem));
    CHECK(problem.find("256 MB") != std::string::npos);
  }
  auto newer = archive;
  newer[8] = 2;
  CHECK_FALSE(open_identity(newer, passphrase, problem));
  CHECK(problem.find("newer") != std::string::npos);
}

TEST_CASE("packed files have one form only") {
  CHECK(unpack_files(pack_files(some_files)) == some_files);
  CHECK(unpack_files("") == directory_contents{});
  const auto packed = pack_files({{"a", "1"}, {"b", "2"}});
  for (std::size_t size = 1; size < packed.size(); ++size)
    if (size != packed.size() / 2)
      CHECK_FALSE(unpack_files(packed.substr(0, size)));
  const auto half = packed.substr(0, packed.size() / 2);
  CHECK_FALSE(unpack_files(packed.substr(packed.size() / 2) + half)); // order
  CHECK_FALSE(unpack_files(half + half));                             // twice
  CHECK_FALSE(unpack_files(std::string(4, '\0')));                    // no name
}

TEST_CASE_FIXTURE(archive_world, "an identity moves to another machine") {
  const auto here = start(directory);
  const auto archive = export_server_identity(directory, passphrase, problem);
  REQUIRE_MESSAGE(archive.has_value(), problem);
  const auto elsewhere = scratch / "elsewhere";
  REQUIRE_MESSAGE(import_server_identity(elsewhere, *archive, passphrase, problem), problem);
  CHECK(mode_of(elsewhere) == 0700);
  CHECK(mode_of(elsewhere / "authority.key") == 0600);
  CHECK_FALSE(fs::exists(elsewhere / "tickets.keys"));
  const auto there = start(elsewhere);
  CHECK_FALSE(there.made_now);
  CHECK(there.server_id == here.server_id);
  CHECK(there.settings_key == here.settings_key);
  CHECK(there.wake_public_key == here.wake_public_key);
  CHECK(there.authority.self().der() == here.authority.self().der());
  CHECK(there.tickets->keys()->current.secret != here.tickets->keys()->current.secret);

  // Neither an identity nor anything else is overwritten.
  CHECK_FALSE(import_server_identity(elsewhere, *archive, passphrase, problem));
  CHECK(problem.find("nothing is overwritten") != std::string::npos);
  CHECK(start(elsewhere).server_certificate.der() == there.server_certificate.der());
}

TEST_CASE_FIXTURE(archive_world, "only an identity that would start is exported") {
  CHECK_FALSE(export_server_identity(directory, passphrase, problem));
  CHECK(problem.find("no identity") != std::string::npos);
  CHECK_FALSE(fs::exists(directory));
  static_cast<void>(start(directory));
  CHECK_FALSE(export_server_identity(directory, "short", problem));
  CHECK(problem.find("at least 12") != std::string::npos);
  put_content(directory / "secrets", "damaged");
  CHECK_FALSE(export_server_identity(directory, passphrase, problem));
  CHECK(problem.find("secrets: is damaged") != std::string::npos);
}

TEST_CASE_FIXTURE(archive_world, "an archive of something else writes nothing") {
  const auto archive = seal_identity({{"../escape", "x"}, {"secrets", "x"}}, passphrase, cheap);
  CHECK_FALSE(import_server_identity(directory, archive, passphrase, problem));
  CHECK_FALSE(fs::exists(directory));
  CHECK_FALSE(fs::exists(scratch / "escape"));

  // A whole identity and more: what is more stays behind.
  static_cast<void>(start(directory));
  directory_contents files{{"../escape", "x"}, {"tickets.keys", "x"}};
  for (const auto* name : {"authority.key", "authority.pem", "secrets"})
    files[name] = content_of(directory / name);
  const auto elsewhere = scratch / "elsewhere";
  CHECK(import_server_identity(elsewhere, seal_identity(files, passphrase, cheap), passphrase,
                               problem));
  CHECK_FALSE(fs::exists(elsewhere / "tickets.keys"));
  CHECK_FALSE(fs::exists(scratch / "escape"));
}
