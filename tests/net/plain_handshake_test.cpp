// Who is let in on the plain port, who is not, and what each side is told.

#include "net/der.hpp"
#include "net/plain_messages.hpp"
#include "tests/net/plain_world.hpp"

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <string>

using namespace muster::net;
using namespace muster::net::testing;

namespace {

/// The wire after the first `flights` messages of the handshake have arrived.
struct stopped_wire : plain_wire {
  stopped_wire(const plain_world& world, int flights) : plain_wire(world) {
    start();
    if (flights >= 1)
      carry_up();
    if (flights >= 2)
      carry_down();
  }

  /// What is on its way now, in either direction.
  std::string& flight() { return to_server.empty() ? to_agent : to_server; }
};

/// A server that lies as far as its key allows.
std::string lying_hello(std::string_view agents_hello, const key_pair& key,
                        const std::vector<std::string>& chain, const plain::bytes_32& share) {
  auto message = plain::write_hello(plain_kind::server_hello, {}, share, chain);
  const auto said = std::string(agents_hello.substr(frame_header_bytes)) + message;
  std::string content(64, ' ');
  content += "Muster plain v1, server's proof";
  content += '\0';
  content += der::view(sha256(said));
  plain::append_prefixed(key.sign(content), message);
  std::string out;
  put_plain_frame(plain_kind::server_hello, message.substr(1), out);
  return out;
}

std::error_code told(plain_engine& who, std::string_view bytes, std::string* answer = nullptr) {
  std::string plain;
  std::string out;
  const auto ec = who.receive(bytes_of(bytes), plain, out);
  if (answer != nullptr)
    *answer = out;
  return ec;
}

plain::bytes_32 share_of_hex(std::string_view text) {
  plain::bytes_32 out{};
  const auto bytes = from_hex(text);
  REQUIRE(bytes.has_value());
  REQUIRE(bytes->size() == out.size());
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

} // namespace

TEST_CASE_FIXTURE(plain_world, "without encryption both sides prove themselves and talk") {
  plain_wire w(*this);
  w.handshake();
  REQUIRE_FALSE(w.agent_error);
  REQUIRE_FALSE(w.server_error);
  REQUIRE(w.open());
  CHECK(w.server.peer().certificate_sha256 == device_leaf.sha256());
  CHECK(w.agent.peer().certificate_sha256 == server_leaf.sha256());
  CHECK_FALSE(w.server.peer().resumed);
  CHECK_FALSE(w.server.peer().exporter.has_value());
  w.agent_says("hello");
  CHECK(w.to_server.find("hello") != std::string::npos); // anybody can read
  w.server_says("welcome");
  w.run();
  CHECK(w.at_server == "hello");
  CHECK(w.at_agent == "welcome");
}

TEST_CASE_FIXTURE(plain_world, "a handshake's bytes may arrive one at a time, or with what follows") {
  plain_wire slow(*this);
  slow.handshake(1);
  CHECK(slow.open());

  stopped_wire quick(*this, 2);
  REQUIRE(quick.agent.open());
  quick.agent_says("hello");
  quick.carry_up();
  CHECK(quick.server.open());
  CHECK(quick.at_server == "hello");
}

TEST_CASE_FIXTURE(plain_world, "every bit of the handshake that is flipped is noticed") {
  for (const int flight : {0, 1, 2}) {
    CAPTURE(flight);
    const auto bits = 8 * stopped_wire(*this, flight).flight().size();
    // Some signatures are a byte or two shorter: what is flipped is then another bit.
    for (std::size_t bit = 0; bit < bits; bit += flight == 2 ? 1 : 3) {
      CAPTURE(bit);
      stopped_wire w(*this, flight);
      auto& bytes = w.flight();
      auto& victim = bytes.at(bit / 8 % bytes.size());
      victim = static_cast<char>(victim ^ (1U << (bit % 8)));
      w.run();
      CHECK_FALSE(w.server.open());
      CHECK((w.agent.open() ? flight == 2 : flight < 2));
      // Either somebody says so, or a length is wrong and both wait, until time is up.
      const bool waits = w.agent.in_unit() || w.server.in_unit();
      CHECK((w.agent_error || w.server_error || waits));
    }
  }
}

TEST_CASE_FIXTURE(plain_world, "a handshake that ends early ends as nothing, at every byte") {
  for (const int flight : {0, 1, 2}) {
    CAPTURE(flight);
    const auto size = stopped_wire(*this, flight).flight().size();
    for (std::size_t end = 0; end + 3 < size; end += flight == 2 ? 1 : 7) {
      stopped_wire w(*this, flight);
      w.flight().resize(end);
      w.run();
      CHECK_FALSE(w.server.open());
      CHECK(w.agent.open() == (flight == 2));
      CHECK_FALSE(w.agent_error);
      CHECK_FALSE(w.server_error);
      CHECK((flight == 1 ? w.agent : w.server).in_unit() == (end != 0));
    }
  }
}

TEST_CASE_FIXTURE(plain_world, "a byte that is missing or one too many is noticed") {
  for (const int flight : {0, 1, 2}) {
    for (const bool missing : {true, false}) {
      const auto size = stopped_wire(*this, flight).flight().size();
      for (std::size_t at = 0; at + 3 < size; at += 11) {
        CAPTURE(flight);
        CAPTURE(at);
        stopped_wire w(*this, flight);
        if (missing)
          w.flight().erase(at, 1);
        else
          w.flight().insert(at, 1, 'x');
        w.run();
        CHECK_FALSE(w.server.open());
      }
    }
  }
}

TEST_CASE_FIXTURE(plain_world, "a recorded conversation is worth nothing the second time") {
  plain_wire first(*this);
  first.start();
  const auto hello = first.to_server;
  first.carry_up();
  const auto answer = first.to_agent;
  first.carry_down();
  first.agent_says("delete everything");
  const auto proof_and_order = first.to_server;
  first.carry_up();
  REQUIRE(first.at_server == "delete everything");

  plain_engine server(server_context());
  std::string plain;
  std::string out;
  REQUIRE_FALSE(server.receive(bytes_of(hello), plain, out));
  CHECK(server.receive(bytes_of(proof_and_order), plain, out) == errc::signature_wrong);
  CHECK_FALSE(server.open());
  CHECK(plain.empty());

  plain_engine agent(agent_context());
  REQUIRE_FALSE(agent.start(out));
  CHECK(agent.receive(bytes_of(answer), plain, out) == errc::signature_wrong);
  CHECK_FALSE(agent.open());
}

TEST_CASE_FIXTURE(plain_world, "nobody can be answered with one's own words") {
  std::string said;
  plain_engine agent(agent_context());
  REQUIRE_FALSE(agent.start(said));
  CHECK(told(agent, said) == errc::malformed);

  plain_wire w(*this);
  w.start();
  w.carry_up();
  const auto servers_hello = w.to_agent;
  std::string answer;
  CHECK(told(w.server, servers_hello, &answer) == errc::malformed);
  CHECK(answer.empty());
}

TEST_CASE_FIXTURE(plain_world, "two of the same side do not come together") {
  plain_engine agent(agent_context());
  plain_engine other(agent_context());
  std::string up;
  std::string down;
  REQUIRE_FALSE(agent.start(up));
  REQUIRE_FALSE(other.start(down));
  CHECK(told(agent, down) == errc::malformed);
  CHECK(told(other, up) == errc::malformed);
}

TEST_CASE_FIXTURE(plain_world, "a signature for one role is none for the other") {
  // The server is made to sign as its own agent would have to: same bytes, other text.
  plain_wire w(*this);
  w.start();
  w.carry_up();
  const auto hello = frames_in(w.to_agent).front();
  auto why = errc::success;
  const auto read =
    plain::read_hello(std::string_view(hello).substr(frame_header_bytes),
                      plain_kind::server_hello, why);
  REQUIRE(read.has_value());
  std::string proof(1, static_cast<char>(plain_kind::agent_proof));
  plain::append_prefixed(read->signature, proof);
  std::string frame;
  put_plain_frame(plain_kind::agent_proof, proof.substr(1), frame);
  CHECK(told(w.server, frame) == errc::signature_wrong);
}

TEST_CASE_FIXTURE(plain_world, "the plain port sees through an agent's certificate shown as the server's") {
  plain_engine agent(agent_context());
  std::string up;
  REQUIRE_FALSE(agent.start(up));
  plain::bytes_32 share{9};
  const auto lie =
    lying_hello(up, device_key, {device_leaf.der(), authority.self().der()}, share);
  std::string answer;
  CHECK(told(agent, lie, &answer) == errc::certificate_wrong_role);
  CHECK_FALSE(agent.open());
  // And the other end learns that it was its certificate.
  CHECK(plain::read_refusal(std::string_view(answer).substr(frame_header_bytes)) ==
        errc::peer_refused_us);
}

TEST_CASE_FIXTURE(plain_world, "nor does a server's certificate pass for a device's there") {
  plain_engine server(server_context());
  std::string hello;
  const plain::bytes_32 share{9};
  const auto message =
    plain::write_hello(plain_kind::agent_hello, {}, share, {server_leaf.der()});
  put_plain_frame(plain_kind::agent_hello, message.substr(1), hello);
  CHECK(told(server, hello) == errc::certificate_wrong_role);
}

TEST_CASE_FIXTURE(plain_world, "a certificate without its key proves nothing") {
  std::error_code ec;
  auto options = agent_options();
  options.key = key_pair::generate();
  CHECK(client_plain_context::make(options, ec) == nullptr);
  CHECK(ec == errc::key_file_bad);
  CHECK(server_plain_context::make(device_key, server_leaf, authority.self(), ec) == nullptr);
  CHECK(ec == errc::key_file_bad);

  // Somebody else's signature under the right certificate.
  plain_engine agent(agent_context());
  std::string up;
  REQUIRE_FALSE(agent.start(up));
  const plain::bytes_32 share{9};
  const auto lie = lying_hello(up, device_key, {server_leaf.der(), authority.self().der()}, share);
  CHECK(told(agent, lie) == errc::signature_wrong);
}

TEST_CASE_FIXTURE(plain_world, "what TLS refuses is refused here, by the same judgement") {
  const auto fails = [&](const client_plain_options& options, errc expected) {
    plain_wire w(context(options), server_context());
    w.handshake();
    CHECK(w.agent_error == expected);
    CHECK(w.server_error == errc::peer_refused_us);
    CHECK_FALSE(w.agent.open());
    CHECK_FALSE(w.server.open());
  };
  auto other_pin = agent_options();
  other_pin.server.authority_pin->at(3) ^= 1U;
  fails(other_pin, errc::pin_mismatch);
  auto other_server = agent_options();
  other_server.server.server_id = id_of(99);
  fails(other_server, errc::certificate_wrong_name);
  now_s += 91 * day_s;
  fails(agent_options(), errc::certificate_expired);
  now_s -= 91 * day_s + 3 * day_s;
  fails(agent_options(), errc::certificate_expired);
}

TEST_CASE_FIXTURE(plain_world, "a foreign device is refused and told; the dates are the directory's") {
  const auto right = device_leaf;
  const auto stranger = certificate_authority::make(server_id, now_s);
  device_leaf = stranger.issue(device_key, role::device, device_id, now_s, device_lifetime);
  plain_wire foreign(*this);
  foreign.handshake();
  CHECK(foreign.server_error == errc::certificate_foreign);
  CHECK(foreign.agent_error == errc::peer_refused_us);

  device_leaf =
    authority.issue(device_key, role::device, device_id, now_s - 500 * day_s, device_lifetime);
  plain_wire old(*this);
  old.handshake();
  CHECK(old.open());
  CHECK(old.server.peer().certificate_sha256 == device_leaf.sha256());
}

TEST_CASE_FIXTURE(plain_world, "a share of small order ends it, whoever sends it") {
  // All points of order 1, 2, 4 and 8 as X25519 reads them, and those that reduce to them.
  const std::array shares = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
  };
  for (const auto* hex : shares) {
    CAPTURE(hex);
    const auto share = share_of_hex(hex);
    plain_engine server(server_context());
    const auto message =
      plain::write_hello(plain_kind::agent_hello, {}, share, {device_leaf.der()});
    std::string hello;
    put_plain_frame(plain_kind::agent_hello, message.substr(1), hello);
    CHECK(told(server, hello) == errc::key_share_worthless);

    plain_engine agent(agent_context());
    std::string up;
    REQUIRE_FALSE(agent.start(up));
    const auto lie =
      lying_hello(up, server_key, {server_leaf.der(), authority.self().der()}, share);
    CHECK(told(agent, lie) == errc::key_share_worthless);
    CHECK_FALSE(agent.open());
  }
}

TEST_CASE_FIXTURE(plain_world, "who speaks something else is told nothing, and we know what it was") {
  const auto nothing_for = [&](std::string_view bytes) {
    plain_engine server(server_context());
    std::string answer;
    const auto ec = told(server, bytes, &answer);
    CHECK(answer.empty());
    CHECK_FALSE(server.open());
    return ec;
  };
  CHECK(nothing_for("GET / HTTP/1.1\r\nHost: x\r\n\r\n") == errc::frame_too_large);
  CHECK(nothing_for(std::string("\0\0\0\4abcd", 8)) == errc::malformed);
  CHECK(nothing_for(std::string(4, '\0')) == errc::malformed);

  // A TLS client at the plain port, and a plain agent at the TLS port.
  tls_engine tls_client(*context(device_options()), nullptr);
  std::string hello;
  REQUIRE_FALSE(tls_client.start(hello));
  CHECK(nothing_for(hello) == errc::speaks_tls);

  tls_engine tls_server(*context(server_options()));
  plain_engine agent(agent_context());
  std::string up;
  std::string plain;
  std::string alert;
  REQUIRE_FALSE(agent.start(up));
  CHECK(tls_server.receive(bytes_of(up), plain, alert));
  REQUIRE_FALSE(alert.empty());
  CHECK(told(agent, alert) == errc::speaks_tls);
}

TEST_CASE_FIXTURE(plain_world, "another version is refused by name, on both sides") {
  plain_wire w(*this);
  w.start();
  auto& version = w.to_server.at(frame_header_bytes + 1 + plain::opening.size());
  REQUIRE(version == plain_version);
  version = 2;
  w.run();
  CHECK(w.server_error == errc::plain_wrong_version);
  CHECK(w.agent_error == errc::plain_wrong_version);
}

TEST_CASE_FIXTURE(plain_world, "an agent whose proof does not arrive whole is told so") {
  stopped_wire w(*this, 2);
  w.to_server.back() = static_cast<char>(w.to_server.back() ^ 1);
  w.run();
  CHECK(w.server_error == errc::signature_wrong);
  CHECK(w.agent_error == errc::peer_found_altered);
}

TEST_CASE_FIXTURE(plain_world, "after an error nothing is taken any more") {
  plain_engine server(server_context());
  std::string hello;
  plain_engine agent(agent_context());
  REQUIRE_FALSE(agent.start(hello));
  CHECK(told(server, std::string("\0\0\0\1x", 5)));
  CHECK(told(server, hello));
  CHECK_FALSE(server.open());
}
