// Must hold: nobody is taken for somebody else, and whoever is refused learns why.

#include "net/agent_identity.hpp"
#include "net/server_identity.hpp"
#include "net/tcp_listener.hpp"
#include "tests/system/fleet.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

std::int64_t now_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(
           std::chrono::system_clock::now().time_since_epoch())
    .count();
}

/// Shows whatever certificate it is given to whoever connects.
class impostor {
public:
  impostor(const std::string& chain_pem, const std::string& key_pem) {
    net::server_tls_options tls;
    tls.ask_for_client_certificate = false;
    tls.chain_pem = chain_pem;
    tls.key_pem = key_pem;
    std::error_code ec;
    net::listener_options options;
    options.address = "127.0.0.1";
    options.tls = net::server_tls_context::make(tls, ec);
    REQUIRE_MESSAGE(options.tls != nullptr, ec.message());
    listener_ = net::tcp_listener::open(
      pool_, options, [](const net::accepted_ptr&) {}, [](std::error_code) {}, ec);
    REQUIRE_MESSAGE(listener_ != nullptr, ec.message());
  }
  ~impostor() {
    listener_->close();
    pool_.join();
  }
  [[nodiscard]] std::string address() const {
    return "127.0.0.1:" + std::to_string(listener_->port());
  }

private:
  net::io_pool pool_{1};
  std::shared_ptr<net::tcp_listener> listener_;
};

/// Says hello as a device whose certificate is not the one it enrolled with.
std::string greet_with(wire_identity who, const net::certificate& leaf, const net::key_pair& key,
                       std::uint16_t port) {
  wire_client client;
  who.leaf = leaf;
  who.key = key;
  if (auto problem = client.connect(who, port); !problem.empty())
    return problem;
  client.say(make_hello(who));
  const auto answer = client.hear();
  if (answer && answer->has_refused())
    return answer->refused().text();
  if (answer)
    return "";
  return client.ends_within() ? client.why_ended() : "nothing was said";
}

} // namespace

TEST_CASE("an agent refuses a server that shows an agent's certificate, and says why") {
  server_under_test server;
  server.start();
  const agent_under_test thief{server, "thief"};
  std::string problem;
  const auto stolen = net::load_agent_identity(thief.data() / "identity", problem);
  REQUIRE_MESSAGE(stolen.has_value(), problem);
  const impostor fake{stolen->leaf.pem() + stolen->bundle.front().pem(), stolen->key.private_pem()};

  agent_under_test victim{server, "victim", {"--server", fake.address()}};
  victim.start();
  CHECK_MESSAGE(victim.program().expect("issued for another role").has_value(),
                victim.program().output());
  CHECK(victim.stop() == 0);
}

TEST_CASE("an agent refuses a server of another authority, and says why") {
  server_under_test server;
  server.start();
  const auto stranger = net::certificate_authority::make(net::id_bytes{7}, now_s());
  const auto key = net::key_pair::generate();
  const auto leaf = stranger.issue(key, net::role::server, net::id_bytes{7}, now_s(), 24h);
  const impostor fake{leaf.pem() + stranger.self().pem(), key.private_pem()};
  agent_under_test victim{server, "victim", {"--server", fake.address()}};
  victim.start();
  CHECK_MESSAGE(victim.program().expect("not the pinned one").has_value(),
                victim.program().output());
  CHECK(victim.stop() == 0);
}

TEST_CASE("a wrong pin ends the enrolment before anything is said") {
  server_under_test server;
  server.start();
  const agent_under_test honest{server, "honest"};
  temporary_directory elsewhere;
  const auto refused =
    run({MUSTER_AGENT_PATH, "--config", elsewhere.write("agent.toml", "").string(), "--data",
         (elsewhere.path() / "agent").string(), "enrol", "--server", server.agents_address(),
         "--pin", std::string(64, 'a'), "--token", server.first_token()});
  CHECK(refused.exit_code != 0);
  CHECK_MESSAGE(refused.output.find("pin") != std::string::npos, refused.output);
  // The token was not spent on it.
  const console_under_test console{server};
  CHECK(console.json({"token", "list"})["tokens"][0].value("uses", 0) == 1);
}

TEST_CASE("a certificate of another authority, of ours for nobody, or an expired one is refused") {
  server_under_test server;
  server.start();
  const auto who = server.enrol_wire_device("honest");
  net::id_bytes id{};
  std::copy(who.device_id.begin(), who.device_id.end(), id.begin());
  const auto key = net::key_pair::generate();

  const auto stranger = net::certificate_authority::make(who.server_id, now_s());
  const auto foreign = stranger.issue(key, net::role::device, id, now_s(), 24h);
  CHECK(greet_with(who, foreign, key, server.agents_port()) ==
        "the peer did not accept our certificate");

  // Issued by the server's own authority, which this test has stolen, but known to nobody.
  std::string problem;
  const auto identity =
    net::load_or_make_server_identity(server.data() / "identity", now_s(), problem);
  REQUIRE_MESSAGE(identity.has_value(), problem);
  const auto unknown = identity->authority.issue(key, net::role::device, id, now_s(), 24h);
  const auto told = greet_with(who, unknown, key, server.agents_port());
  CHECK_MESSAGE(told.find("certificate") != std::string::npos, told);

  const auto expired =
    identity->authority.issue(key, net::role::device, id, now_s() - 30 * 24 * 3600, 24h);
  CHECK_FALSE(greet_with(who, expired, key, server.agents_port()).empty());

  auto same = who;
  wire_client client;
  CHECK(greet(client, same, server.agents_port()) == "");
}

TEST_CASE("a device shows a server's certificate of the same authority: refused in the handshake") {
  server_under_test server;
  server.start();
  const auto who = server.enrol_wire_device("honest");
  std::string problem;
  const auto identity =
    net::load_or_make_server_identity(server.data() / "identity", now_s(), problem);
  REQUIRE_MESSAGE(identity.has_value(), problem);
  CHECK(greet_with(who, identity->server_certificate, identity->server_key, server.agents_port()) ==
        "the peer did not accept our certificate");
}

TEST_CASE("revoking ends the live session at once; full or by ticket, the device stays out") {
  server_under_test server;
  server.start();
  auto who = server.enrol_wire_device("lost-laptop");
  wire_client client;
  REQUIRE(greet(client, who, server.agents_port()) == "");
  const console_under_test console{server};
  const auto done = console.run({"revoke", "lost-laptop"});
  REQUIRE_MESSAGE(done.exit_code == 0, done.output);

  const auto last_words = client.hear();
  REQUIRE(last_words.has_value());
  CHECK(last_words->refused().reason() == wire::refusal_revoked);
  CHECK(client.ends_within());

  const auto full = greet(client, who, server.agents_port());
  CHECK_MESSAGE(full.find("revoked") != std::string::npos, full);
  const auto resumed = greet(client, who, server.agents_port(), true);
  CHECK_MESSAGE(resumed.find("revoked") != std::string::npos, resumed);
  CHECK(client.peer().resumed); // it was the ticket that came too late, not a new handshake
  CHECK(console.json({"device", "lost-laptop"})["device"].value("state", "") == "revoked");
  // Its key never enrols again.
  const auto again = enrol(who, server.agents_port(), server.first_token(), "lost-laptop");
  CHECK_MESSAGE(again.find("refused") != std::string::npos, again);
}

TEST_CASE("a revoked agent says that it is revoked") {
  server_under_test server;
  server.start();
  agent_under_test agent{server, "lost-laptop", {"--sync-keep"}};
  agent.start();
  const console_under_test console{server};
  REQUIRE(eventually([&] {
    return console.json({"device", "lost-laptop"})["device"].value("state", "") == "connected";
  }));
  CHECK(console.run({"revoke", "lost-laptop"}).exit_code == 0);
  CHECK_MESSAGE(agent.program().expect("refused this device: .*revoked").has_value(),
                agent.program().output());
  CHECK(agent.stop() == 0);
}
