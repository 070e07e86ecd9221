#include "actors/agent/dialer.hpp"
#include "actors/agent/enrolment.hpp"
#include "tests/agent/enrolment_world.hpp"

#include <future>

using namespace muster;
using namespace muster::actors;
using namespace muster::test;

namespace {

struct machine {
  enrolment_options options(const enrolment_server& server) const {
    enrolment_options out;
    out.server = server.name();
    out.pin = server.pin();
    out.token = " secret\n";
    out.identity_directory = directory.path() / "identity";
    out.fingerprint.bytes.fill(3);
    out.host_name = "laptop";
    out.agent_version = "1.0";
    out.now_s = [] { return test_now_s; };
    return out;
  }
  std::optional<net::agent_identity> identity() const {
    std::string problem;
    auto out = net::load_agent_identity(directory.path() / "identity", problem);
    CHECK(problem.empty());
    return out;
  }
  temp_directory directory;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// One attempt of a dialer, waited for.
struct attempt {
  net::accepted_ptr connection;
  std::error_code ec;
};
attempt dial(const connector& way) {
  auto result = std::make_shared<std::promise<attempt>>();
  auto later = result->get_future();
  way.connect([result](net::accepted_ptr connection, std::error_code ec, const std::string&) {
    result->set_value({std::move(connection), ec});
  });
  return later.get();
}

/// Waits for the connection's end, by when its ticket has come.
class until_closed final : public net::link_sink {
public:
  explicit until_closed(std::promise<void>& ended) : ended_(ended) {}
  void on_message(std::string) override {}
  void on_closed(std::error_code) override { ended_.set_value(); }

private:
  std::promise<void>& ended_;
};
void use_up(const attempt& connected) {
  std::promise<void> ended;
  auto& link = *connected.connection->connection;
  link.attach(std::make_unique<until_closed>(ended));
  link.grant(2); // without credit it would not see the end
  wire::agent_message hello;
  hello.mutable_hello();
  CHECK(link.try_send(hello.SerializeAsString()));
  ended.get_future().wait();
}

} // namespace

TEST_CASE("a machine with pin and token becomes a device, and stays the same one") {
  enrolment_server server;
  const machine here;
  const auto outcome = enrol(here.options(server));
  REQUIRE_MESSAGE(outcome.ok, outcome.sentence);
  CHECK_FALSE(outcome.already);
  CHECK(outcome.pin == server.pin());
  CHECK(outcome.device.bytes == net::id_bytes{9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9});
  const auto said = server.said();
  REQUIRE(said.size() == 1);
  const auto& request = said[0].enrol_request();
  CHECK(request.token() == "secret");
  CHECK(request.host_name() == "laptop");
  CHECK(request.fingerprint() == std::string(16, 3));
  // The proof is over this connection, by the key of the request.
  std::error_code ec;
  const auto key = net::key_of_csr(request.csr(), ec);
  REQUIRE(key);
  const auto exporter = server.peers().at(0).exporter;
  REQUIRE(exporter);
  CHECK(key->verify(net::enrolment_proof_message(*exporter), request.proof()));
  const auto identity = here.identity();
  REQUIRE(identity);
  CHECK(identity->device_id == outcome.device.bytes);
  CHECK(identity->server_id == server.identity->server_id);
  CHECK(identity->wake_public_key == server.identity->wake_public_key);
  CHECK(identity->server == server.name());
  CHECK(identity->key.spki_sha256() == key->spki_sha256());

  const auto again = enrol(here.options(server));
  CHECK(again.ok);
  CHECK(again.already);
  CHECK(again.device == outcome.device);
  CHECK(has(again.sentence, "already"));
  CHECK(server.said().size() == 1);
}

TEST_CASE("a device does not change its server by accident") {
  enrolment_server server;
  enrolment_server other;
  const machine here;
  REQUIRE(enrol(here.options(server)).ok);
  auto options = here.options(other);
  auto outcome = enrol(options);
  CHECK_FALSE(outcome.ok);
  CHECK(has(outcome.sentence, server.name()));
  CHECK(has(outcome.sentence, "muster-agent move"));
  options.pin.reset();
  options.trust_on_first_use = true;
  CHECK_FALSE(enrol(options).ok);
  CHECK(other.peers().empty());
  // By another name it is still the same one.
  options = here.options(server);
  options.server = "elsewhere.example:13000";
  outcome = enrol(options);
  CHECK(outcome.ok);
  CHECK(outcome.already);
}

TEST_CASE("the wrong pin: nothing is sent, and the right one is shown to compare") {
  enrolment_server server;
  const machine here;
  auto options = here.options(server);
  options.pin->fill(1);
  const auto outcome = enrol(options);
  CHECK_FALSE(outcome.ok);
  CHECK(has(outcome.sentence, net::to_hex(server.pin())));
  CHECK(server.said().empty());
  CHECK_FALSE(here.identity());
}

TEST_CASE("without a pin only when told so, and then it is said what was trusted") {
  enrolment_server server;
  const machine here;
  auto options = here.options(server);
  options.pin.reset();
  auto outcome = enrol(options);
  CHECK_FALSE(outcome.ok);
  CHECK(has(outcome.sentence, "--pin"));
  CHECK(server.peers().empty());
  options.trust_on_first_use = true;
  outcome = enrol(options);
  REQUIRE_MESSAGE(outcome.ok, outcome.sentence);
  CHECK(outcome.pin == server.pin());
}

TEST_CASE("a server's no is passed on, with the remedy; a retry shows the same key") {
  enrolment_server server;
  const machine here;
  wire::server_message no;
  std::string expected;
  SUBCASE("token") {
    no.mutable_refused()->set_reason(wire::refusal_token);
    no.mutable_refused()->set_text("it expired yesterday; `muster token create` makes one");
    expected = "refused the token: it expired yesterday; `muster token create` makes one";
  }
  SUBCASE("something else") {
    no.mutable_refused()->set_reason(wire::refusal_revoked);
    no.mutable_refused()->set_text("this key was revoked");
    expected = "refused this machine: this key was revoked";
  }
  SUBCASE("busy") {
    no.mutable_busy()->set_retry_after_ms(4'200);
    expected = "is busy: try again in 5 s";
  }
  SUBCASE("another message") {
    no.mutable_ping();
    expected = "answered what is no enrolment";
  }
  const auto good = std::exchange(server.answer, [&](const auto&) { return std::optional(no); });
  const auto outcome = enrol(here.options(server));
  CHECK_FALSE(outcome.ok);
  CHECK_MESSAGE(has(outcome.sentence, expected), outcome.sentence);
  CHECK(has(outcome.sentence, server.name()));
  CHECK_FALSE(here.identity());
  server.answer = good;
  CHECK(enrol(here.options(server)).ok);
  const auto said = server.said();
  REQUIRE(said.size() == 2);
  std::error_code ec;
  CHECK(net::key_of_csr(said[0].enrol_request().csr(), ec)->spki_sha256()
        == net::key_of_csr(said[1].enrol_request().csr(), ec)->spki_sha256());
}

TEST_CASE("an answer that does not fit is the server's fault and is not kept") {
  enrolment_server server;
  const machine here;
  SUBCASE("another key") {
    server.answer = [&](const auto&) {
      return std::optional(server.answer_for(net::key_pair::generate()));
    };
  }
  SUBCASE("another authority") {
    server.answer = [&](const wire::agent_message& message) {
      auto out = server.good_answer(message.enrol_request());
      net::id_bytes id{};
      const auto foreign = net::certificate_authority::make(id, test_now_s);
      out.mutable_enrol_reply()->set_bundle(0, foreign.self().der());
      return std::optional(out);
    };
  }
  SUBCASE("another device than the certificate's") {
    server.answer = [&](const wire::agent_message& message) {
      auto out = server.good_answer(message.enrol_request());
      out.mutable_enrol_reply()->set_device_id(std::string(16, 8));
      return std::optional(out);
    };
  }
  const auto outcome = enrol(here.options(server));
  CHECK_FALSE(outcome.ok);
  CHECK_MESSAGE(has(outcome.sentence, "the server is at fault"), outcome.sentence);
  CHECK_FALSE(here.identity());
}

TEST_CASE("whoever is not there, or is no server of ours, is named with what to check") {
  const machine here;
  SUBCASE("nobody listens") {
    enrolment_options options;
    {
      enrolment_server gone;
      options = here.options(gone);
    }
    const auto outcome = enrol(options);
    CHECK_FALSE(outcome.ok);
    CHECK_MESSAGE(has(outcome.sentence, "127.0.0.1: Connection refused"), outcome.sentence);
    CHECK(has(outcome.sentence, "check that the server runs"));
  }
  SUBCASE("the admin port") {
    enrolment_server admin{net::alpn_http};
    const auto outcome = enrol(here.options(admin));
    CHECK_FALSE(outcome.ok);
    CHECK_MESSAGE(has(outcome.sentence, "no Muster server for agents"), outcome.sentence);
  }
  SUBCASE("it closes without a word") {
    enrolment_server silent;
    silent.answer = [](const auto&) { return std::nullopt; };
    const auto outcome = enrol(here.options(silent));
    CHECK_FALSE(outcome.ok);
    CHECK_MESSAGE(has(outcome.sentence, "closed the connection without an answer"),
                  outcome.sentence);
  }
  SUBCASE("no such name") {
    enrolment_server server;
    auto options = here.options(server);
    options.server = "does-not-exist.invalid";
    const auto outcome = enrol(options);
    CHECK_FALSE(outcome.ok);
    CHECK_MESSAGE(has(outcome.sentence, "does-not-exist.invalid"), outcome.sentence);
  }
  SUBCASE("no name at all") {
    enrolment_server server;
    auto options = here.options(server);
    options.server = "a b:c";
    CHECK(has(enrol(options).sentence, "HOST:PORT"));
  }
  SUBCASE("by a clock that is wrong") {
    enrolment_server server;
    auto options = here.options(server);
    options.now_s = [] { return std::int64_t{1'000'000'000}; };
    const auto outcome = enrol(options);
    CHECK_FALSE(outcome.ok);
    CHECK_MESSAGE(has(outcome.sentence, "clock"), outcome.sentence);
  }
  SUBCASE("no token") {
    enrolment_server server;
    auto options = here.options(server);
    options.token = "\n";
    CHECK(has(enrol(options).sentence, "token"));
    CHECK(server.peers().empty());
  }
  CHECK_FALSE(here.identity());
}

TEST_CASE("the dialer proves the device, and resumes until it is told to forget") {
  enrolment_server server;
  const machine here;
  REQUIRE(enrol(here.options(server)).ok);
  wire::server_message welcome;
  welcome.mutable_welcome();
  server.answer = [&](const auto&) { return std::optional(welcome); };
  net::io_pool pool{1};
  std::int64_t clock_s = test_now_s;
  dialer_options options{&pool, *here.identity(), {"127.0.0.1", server.port()}, {},
                         [&] { return clock_s; }};
  std::string problem;
  const auto way = make_dialer(options, problem);
  REQUIRE_MESSAGE(way, problem);
  auto connected = dial(*way);
  REQUIRE(connected.connection);
  CHECK_FALSE(connected.connection->peer.resumed);
  use_up(connected);
  CHECK(server.peers().back().certificate_sha256 == here.identity()->leaf.sha256());
  connected = dial(*way);
  REQUIRE(connected.connection);
  CHECK(connected.connection->peer.resumed);
  use_up(connected);
  way->forget_session();
  connected = dial(*way);
  REQUIRE(connected.connection);
  CHECK_FALSE(connected.connection->peer.resumed);
  use_up(connected);
  // A clock set back does not matter once the server told the time; one set far ahead does.
  way->forget_session();
  clock_s = 1'000'000'000;
  CHECK(dial(*way).ec == net::errc::certificate_expired);
  way->learn_time(test_now_s);
  connected = dial(*way);
  CHECK(connected.connection);
  use_up(connected);
  way->forget_session();
  way->learn_time(test_now_s + 365 * 86'400);
  CHECK(dial(*way).ec == net::errc::certificate_expired);
  pool.join();
}

TEST_CASE("the dialer refuses a server of the same authority that is another one") {
  enrolment_server server;
  const machine here;
  REQUIRE(enrol(here.options(server)).ok);
  auto identity = *here.identity();
  identity.server_id[0] ^= 1;
  net::io_pool pool{1};
  std::string problem;
  const auto way =
    make_dialer({&pool, identity, {"127.0.0.1", server.port()}, {}, [] { return test_now_s; }},
                problem);
  REQUIRE(way);
  CHECK(dial(*way).ec == net::errc::certificate_wrong_name);
  identity.bundle.clear();
  CHECK_FALSE(make_dialer(
    {&pool, identity, {"127.0.0.1", server.port()}, {}, [] { return test_now_s; }}, problem));
  CHECK(has(problem, "enrol"));
  pool.join();
}
