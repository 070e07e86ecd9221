#include "net/agent_identity.hpp"

#include "tests/net/scratch_directory.hpp"
#include "tests/net/tls_world.hpp"

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

using namespace muster::net;
using namespace muster::net::testing;

namespace {

namespace fs = std::filesystem;

struct agent_world : tls_world {
  scratch_directory scratch;
  fs::path directory = scratch / "agent";
  std::string problem;

  /// As after an enrolment: key first, the rest when the server has answered.
  agent_identity enrol() {
    auto key = load_or_make_agent_key(directory, problem);
    REQUIRE_MESSAGE(key.has_value(), problem);
    auto identity = with_key(*key);
    REQUIRE_MESSAGE(save_agent_identity(directory, identity, problem), problem);
    return identity;
  }
  agent_identity with_key(const key_pair& key) const {
    agent_identity out{.device_id = device_id,
                       .key = key,
                       .leaf =
                         authority.issue(key, role::device, device_id, now_s, device_lifetime),
                       .bundle = {authority.self()},
                       .server_id = server_id,
                       .server = "muster.example:13000"};
    out.wake_public_key.fill(7);
    return out;
  }
  void complains_of(const fs::path& file, std::string_view word) {
    CHECK_FALSE(load_agent_identity(directory, problem));
    INFO(problem);
    CHECK(problem.starts_with(file.string() + ": "));
    CHECK(problem.find('\n') == std::string::npos);
    CHECK(problem.find(word) != std::string::npos);
  }
};

} // namespace

TEST_CASE_FIXTURE(agent_world, "a device that never enrolled has no identity and no problem") {
  problem = "old";
  CHECK_FALSE(load_agent_identity(directory, problem));
  CHECK(problem.empty());
  CHECK_FALSE(fs::exists(directory));
  REQUIRE(load_or_make_agent_key(directory, problem).has_value());
  CHECK_FALSE(load_agent_identity(directory, problem));
  CHECK(problem.empty());
}

TEST_CASE_FIXTURE(agent_world, "a key is made once, so that a retry of the enrolment shows it") {
  const auto first = load_or_make_agent_key(directory, problem);
  REQUIRE(first.has_value());
  CHECK(mode_of(directory) == 0700);
  CHECK(mode_of(directory / "device.key") == 0600);
  CHECK(load_or_make_agent_key(directory, problem)->spki_sha256() == first->spki_sha256());
  // A crash while it was written left only a name that nobody looks at.
  fs::rename(directory / "device.key", directory / "device.key.new");
  CHECK(load_or_make_agent_key(directory, problem)->spki_sha256() != first->spki_sha256());
  CHECK_FALSE(fs::exists(directory / "device.key.new"));
}

TEST_CASE_FIXTURE(agent_world, "an enrolment is found again as it was saved") {
  const auto saved = enrol();
  CHECK(mode_of(directory / "enrolment") == 0600);
  const auto found = load_agent_identity(directory, problem);
  REQUIRE_MESSAGE(found.has_value(), problem);
  CHECK(found->device_id == device_id);
  CHECK(found->server_id == server_id);
  CHECK(found->server == "muster.example:13000");
  CHECK(found->wake_public_key == saved.wake_public_key);
  CHECK(found->leaf.der() == saved.leaf.der());
  CHECK(found->key.has_private_part());
  REQUIRE(found->bundle.size() == 1);
  CHECK(found->bundle.front().der() == authority.self().der());
}

TEST_CASE_FIXTURE(agent_world, "a bundle of two authorities is kept in order") {
  auto identity = with_key(*load_or_make_agent_key(directory, problem));
  const auto next = certificate_authority::make(server_id, now_s);
  identity.bundle = {next.self(), authority.self()};
  REQUIRE(save_agent_identity(directory, identity, problem));
  const auto found = load_agent_identity(directory, problem);
  REQUIRE(found.has_value());
  REQUIRE(found->bundle.size() == 2);
  CHECK(found->bundle[0].der() == next.self().der());
}

TEST_CASE_FIXTURE(agent_world, "a newer enrolment replaces the older one whole") {
  auto identity = enrol();
  identity.server = "[2001:db8::1]:443";
  REQUIRE(save_agent_identity(directory, identity, problem));
  CHECK(load_agent_identity(directory, problem)->server == "[2001:db8::1]:443");
  // Half a newer one, as after a crash, does not count.
  put_content(directory / "enrolment.new", "muster enrolment 1\nserver ");
  CHECK(load_agent_identity(directory, problem).has_value());
}

TEST_CASE_FIXTURE(agent_world, "what does not belong together is not saved") {
  auto identity = enrol();
  const auto before = content_of(directory / "enrolment");
  const auto refuse = [&](const agent_identity& wrong) {
    CHECK_FALSE(save_agent_identity(directory, wrong, problem));
    CHECK(problem.find("is not written") != std::string::npos);
    CHECK(content_of(directory / "enrolment") == before);
  };
  auto wrong = identity;
  wrong.leaf = device_leaf; // of another key
  refuse(wrong);
  wrong = identity;
  wrong.leaf = authority.issue(identity.key, role::server, device_id, now_s, device_lifetime);
  refuse(wrong);
  wrong = identity;
  wrong.bundle = {certificate_authority::make(server_id, now_s).self()};
  refuse(wrong);
  wrong = identity;
  wrong.bundle.clear();
  refuse(wrong);
  wrong = identity;
  wrong.device_id = id_of(9);
  refuse(wrong);
  wrong = identity;
  wrong.server = "two words";
  refuse(wrong);
  wrong = identity;
  wrong.server = "host\nserver_id 00";
  refuse(wrong);
}

TEST_CASE_FIXTURE(agent_world, "a file cut at any byte is damaged") {
  enrol();
  for (const auto* name : {"device.key", "enrolment"}) {
    CAPTURE(name);
    const auto whole = content_of(directory / name);
    for (std::size_t size = 0; size < whole.size(); size += 1 + size % 11) {
      put_content(directory / name, whole.substr(0, size));
      complains_of(directory / name, "is damaged");
    }
    put_content(directory / name, whole.substr(0, whole.size() - 1));
    complains_of(directory / name, "is damaged");
    put_content(directory / name, whole);
  }
  CHECK(load_agent_identity(directory, problem).has_value());
  // A damaged key is not silently replaced: the server would see another device.
  put_content(directory / "device.key", "damaged");
  CHECK_FALSE(load_or_make_agent_key(directory, problem));
  CHECK(problem.find("device.key: is damaged") != std::string::npos);
}

TEST_CASE_FIXTURE(agent_world, "an enrolment without its key, or with another, is refused") {
  enrol();
  fs::remove(directory / "device.key");
  complains_of(directory / "device.key", "is missing");
  put_content(directory / "device.key", key_pair::generate().private_pem());
  set_mode(directory / "device.key", 0600);
  complains_of(directory / "enrolment", "does not belong to device.key");
}

TEST_CASE_FIXTURE(agent_world,
                  "what others may read of an agent is refused, with the command that helps") {
  enrol();
  for (const auto* name : {"device.key", "enrolment"}) {
    set_mode(directory / name, 0644);
    complains_of(directory / name, "chmod 600 " + (directory / name).string());
    set_mode(directory / name, 0600);
  }
  set_mode(directory, 0755);
  complains_of(directory, "chmod 700 " + directory.string());
  CHECK_FALSE(load_or_make_agent_key(directory, problem));
  CHECK_FALSE(save_agent_identity(directory, with_key(device_key), problem));
}

TEST_CASE_FIXTURE(agent_world, "a replaced identity has its key inside, and what is the former one's goes") {
  const auto first = enrol();
  put_content(directory / "datagram.keys", "of the former one");
  auto second = with_key(key_pair::generate());
  second.device_id = id_of(9);
  second.leaf = authority.issue(second.key, role::device, second.device_id, now_s, device_lifetime);
  second.server = "[2001:db8::1]:443";
  second.moved_from = "muster.example:13000";
  REQUIRE_MESSAGE(replace_agent_identity(directory, second, problem), problem);
  CHECK_FALSE(fs::exists(directory / "device.key"));
  CHECK_FALSE(fs::exists(directory / "datagram.keys"));
  const auto found = load_agent_identity(directory, problem);
  REQUIRE_MESSAGE(found.has_value(), problem);
  CHECK(found->device_id == second.device_id);
  CHECK(found->key.spki_sha256() == second.key.spki_sha256());
  CHECK(found->key.has_private_part());
  CHECK(found->moved_from == "muster.example:13000");
  CHECK(found->server == "[2001:db8::1]:443");

  // The same device elsewhere keeps what the server gave it.
  put_content(directory / "datagram.keys", "of this one");
  second.server = "elsewhere:443";
  second.moved_from.clear();
  REQUIRE(replace_agent_identity(directory, second, problem));
  CHECK(fs::exists(directory / "datagram.keys"));
  CHECK(load_agent_identity(directory, problem)->moved_from.empty());
  second.moved_from = "two words";
  CHECK_FALSE(replace_agent_identity(directory, second, problem));
}

TEST_CASE_FIXTURE(agent_world, "a replaced identity cut at any byte is damaged, and says so") {
  auto identity = enrol();
  identity.moved_from = "old:1";
  REQUIRE(replace_agent_identity(directory, identity, problem));
  const auto whole = content_of(directory / "enrolment");
  const auto key_at = whole.find("\nkey ") + 5;
  for (std::size_t size = key_at; size < whole.size(); size += 1 + size % 11) {
    put_content(directory / "enrolment", whole.substr(0, size));
    complains_of(directory / "enrolment", "is damaged");
  }
  for (std::size_t size = 0; size < key_at; ++size) {
    put_content(directory / "enrolment", whole.substr(0, size));
    CHECK_FALSE(load_agent_identity(directory, problem));
    CHECK_FALSE(problem.empty());
  }
  auto other = whole; // no key
  other[key_at] = other[key_at] == '0' ? '1' : '0';
  put_content(directory / "enrolment", other);
  complains_of(directory / "enrolment", "is damaged");
}

TEST_CASE_FIXTURE(agent_world, "whoever is killed while an identity is replaced leaves one or the other, whole") {
  const auto first = enrol();
  auto second = with_key(key_pair::generate());
  second.device_id = id_of(9);
  second.leaf = authority.issue(second.key, role::device, second.device_id, now_s, device_lifetime);
  std::size_t seen_second = 0;
  for (int round = 0; round < 40; ++round) {
    int told[2];
    REQUIRE(::pipe(told) == 0);
    const auto child = ::fork();
    if (child == 0) {
      std::string why;
      for (bool other = true;; other = !other) {
        static_cast<void>(!::write(told[1], "x", 1));
        if (!replace_agent_identity(directory, other ? second : first, why))
          ::_exit(1);
      }
    }
    // It has begun as many replacements as the round's number, and is in the middle of one.
    std::string begun(static_cast<std::size_t>(round % 8) + 1, ' ');
    for (auto& one : begun)
      REQUIRE(::read(told[0], &one, 1) == 1);
    REQUIRE(::kill(child, SIGKILL) == 0);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    ::close(told[0]);
    ::close(told[1]);
    const auto found = load_agent_identity(directory, problem);
    REQUIRE_MESSAGE(found.has_value(), problem);
    const bool is_second = found->device_id == second.device_id;
    CHECK((is_second || found->device_id == first.device_id));
    CHECK(found->key.spki_sha256() == (is_second ? second : first).key.spki_sha256());
    seen_second += is_second ? 1 : 0;
  }
  CHECK(seen_second > 0);
}
