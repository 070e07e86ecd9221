#include "actors/agent/move.hpp"
#include "net/private_file.hpp"
#include "tests/agent/enrolment_world.hpp"

using namespace muster;
using namespace muster::actors;
using namespace muster::test;

namespace {

namespace fs = std::filesystem;

/// A device of `home`.
struct device {
  explicit device(const enrolment_server& home) {
    const auto outcome = enrol(options(home).target);
    REQUIRE_MESSAGE(outcome.ok, outcome.sentence);
    before = identity();
  }
  move_options options(const enrolment_server& to) const {
    move_options out;
    out.target.server = to.name();
    out.target.pin = to.pin();
    out.target.token = "secret";
    out.target.identity_directory = place();
    out.target.fingerprint.bytes.fill(3);
    out.target.host_name = "laptop";
    out.target.agent_version = "1.0";
    out.target.now_s = [] { return test_now_s; };
    return out;
  }
  fs::path place() const { return directory.path() / "identity"; }
  net::agent_identity identity() const {
    std::string problem;
    auto out = net::load_agent_identity(place(), problem);
    REQUIRE_MESSAGE(out, problem);
    return *out;
  }
  bool is_unchanged() const {
    const auto now = identity();
    return now.device_id == before->device_id && now.server == before->server
           && now.key.spki_sha256() == before->key.spki_sha256() && now.moved_from.empty();
  }
  temp_directory directory;
  std::optional<net::agent_identity> before;
};

/// A server that gives other devices than its neighbour.
struct other_server : enrolment_server {
  other_server() {
    answer = [this](const wire::agent_message& message) {
      std::error_code ec;
      const auto key = net::key_of_csr(message.enrol_request().csr(), ec);
      auto out = good_answer(message.enrol_request());
      net::id_bytes id{};
      id.fill(7);
      auto& reply = *out.mutable_enrol_reply();
      reply.set_device_id(id.data(), id.size());
      reply.set_certificate(
        identity->authority.issue(*key, net::role::device, id, test_now_s, net::device_lifetime).der());
      return std::optional(out);
    };
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a device goes to another server, with a new key, and nothing of the old one is left") {
  enrolment_server home;
  other_server other;
  const device here{home};
  auto options = here.options(other);
  options.server_setting = home.name();
  const auto outcome = move_device(options);
  REQUIRE_MESSAGE(outcome.ok, outcome.sentence);
  CHECK_FALSE(outcome.same_device);
  const auto now = here.identity();
  CHECK(now.server_id == other.identity->server_id);
  CHECK(now.server == other.name());
  CHECK(now.device_id != here.before->device_id);
  CHECK(now.key.spki_sha256() != here.before->key.spki_sha256());
  CHECK(now.moved_from == home.name()); // the setting that still names it is void
  CHECK_FALSE(fs::exists(side_directory(here.place())));
  CHECK(other.said().size() == 1);

  // And back: a new device there, too; what was void counts again.
  options = here.options(home);
  options.server_setting = home.name();
  REQUIRE(move_device(options).ok);
  CHECK(here.identity().server == home.name());
  CHECK(here.identity().moved_from.empty());
}

TEST_CASE("a move that is refused leaves the device as it was") {
  enrolment_server home;
  other_server other;
  const device here{home};
  auto options = here.options(other);
  std::string expected;
  SUBCASE("wrong pin") {
    options.target.pin->fill(1);
    expected = net::to_hex(other.pin());
  }
  SUBCASE("no token") {
    options.target.token.clear();
    expected = "needs a token";
  }
  SUBCASE("wrong token") {
    other.answer = [](const auto&) {
      wire::server_message no;
      no.mutable_refused()->set_reason(wire::refusal_token);
      no.mutable_refused()->set_text("used up");
      return std::optional(no);
    };
    expected = "refused the token: used up";
  }
  SUBCASE("no pin, and another server") {
    options.target.pin.reset();
    expected = "another server than the one this device belongs to";
  }
  SUBCASE("no pin, but trust on first use") {
    options.target.pin.reset();
    options.target.trust_on_first_use = true;
    expected = "another server";
  }
  SUBCASE("nobody there") {
    options.target.server = "127.0.0.1:1";
    expected = "127.0.0.1";
  }
  SUBCASE("nobody there, the pin being our own") {
    options.target.server = "127.0.0.1:1";
    options.target.pin = home.pin();
    expected = "check that the server runs";
  }
  SUBCASE("no place") {
    options.target.server = "a b:c";
    expected = "HOST:PORT";
  }
  const auto outcome = move_device(options);
  CHECK_FALSE(outcome.ok);
  CHECK_MESSAGE(has(outcome.sentence, expected), outcome.sentence);
  CHECK(has(outcome.sentence, "nothing was changed"));
  CHECK_FALSE(has(outcome.sentence, "\n"));
  CHECK(here.is_unchanged());
}

TEST_CASE("the same server elsewhere: the same device, without a token, and no session is begun") {
  enrolment_server home;
  const device here{home};
  auto options = here.options(home);
  options.target.server = "localhost:" + std::to_string(home.port());
  options.target.token.clear();
  SUBCASE("without a pin") { options.target.pin.reset(); }
  SUBCASE("with its pin") {}
  const auto said = home.said().size();
  const auto outcome = move_device(options);
  REQUIRE_MESSAGE(outcome.ok, outcome.sentence);
  CHECK(outcome.same_device);
  CHECK(here.identity().server == options.target.server);
  CHECK(here.identity().device_id == here.before->device_id);
  CHECK(here.identity().key.spki_sha256() == here.before->key.spki_sha256());
  CHECK(home.said().size() == said);
}

TEST_CASE("a retry goes on where the attempt before it ended") {
  enrolment_server home;
  other_server other;
  const device here{home};
  const auto options = here.options(other);
  SUBCASE("the server's answer never came: the same key is shown again") {
    const auto good = std::exchange(other.answer, [](const auto&) { return std::nullopt; });
    CHECK_FALSE(move_device(options).ok);
    CHECK(here.is_unchanged());
    other.answer = good;
    REQUIRE(move_device(options).ok);
    const auto said = other.said();
    REQUIRE(said.size() == 2);
    std::error_code ec;
    CHECK(net::key_of_csr(said[0].enrol_request().csr(), ec)->spki_sha256()
          == net::key_of_csr(said[1].enrol_request().csr(), ec)->spki_sha256());
  }
  SUBCASE("killed between the enrolment and its taking place: the token is not asked for again") {
    auto beside = options.target;
    beside.identity_directory = side_directory(here.place());
    REQUIRE(enrol(beside).ok);
    CHECK(here.is_unchanged());
    auto again = options;
    again.target.token.clear();
    REQUIRE(move_device(again).ok);
    CHECK(other.said().size() == 1);
  }
  SUBCASE("killed before it was cleared away: that one's place is taken already") {
    REQUIRE(move_device(options).ok);
    auto beside = options.target;
    beside.identity_directory = side_directory(here.place());
    REQUIRE(enrol(beside).ok); // as if left behind: the same device
    REQUIRE(move_device(here.options(home)).ok);
    CHECK(here.identity().server == home.name());
  }
  SUBCASE("what is left of a move to yet another server is cleared away") {
    enrolment_server third;
    auto beside = here.options(third).target;
    beside.identity_directory = side_directory(here.place());
    REQUIRE(enrol(beside).ok);
    REQUIRE(move_device(options).ok);
  }
  SUBCASE("what is left damaged is cleared away") {
    auto beside = options.target;
    beside.identity_directory = side_directory(here.place());
    REQUIRE(enrol(beside).ok);
    std::string problem;
    REQUIRE(net::write_private_file(beside.identity_directory / "enrolment", "damaged", problem));
    REQUIRE(move_device(options).ok);
  }
  CHECK_FALSE(fs::exists(side_directory(here.place())));
}

TEST_CASE("a machine that never enrolled has nothing to move") {
  enrolment_server home;
  other_server other;
  const device here{home};
  auto options = here.options(other);
  options.target.identity_directory = here.directory.path() / "nothing";
  const auto outcome = move_device(options);
  CHECK_FALSE(outcome.ok);
  CHECK(has(outcome.sentence, "has not enrolled"));
}
