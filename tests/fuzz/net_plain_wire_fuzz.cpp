// Somebody sits between an agent and a server of the plain port and changes what passes, after a
// script: five bytes a change (whose flight, what, where in two bytes, with what). Whatever it does,
// nobody takes for said what was not said, and the two come together only if it did nothing.
#include "net/plain_engine.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace {

using namespace muster::net;

constexpr std::int64_t now_s = 1'800'000'000;
constexpr std::size_t change_bytes = 5;
constexpr std::size_t changes_max = 8;
constexpr std::size_t flights = 4; ///< hello, hello, proof with what follows, the server's words

/// Keys are made once a run: the script is about changes, not about bytes, and means the same with
/// all of them.
struct fleet {
  id_bytes server_id{1};
  certificate_authority authority = certificate_authority::make(server_id, now_s);
  key_pair server_key = key_pair::generate();
  key_pair device_key = key_pair::generate();
  server_plain_context_ptr server;
  client_plain_context_ptr agent;

  fleet() {
    std::error_code ec;
    server = server_plain_context::make(
      server_key, authority.issue(server_key, role::server, server_id, now_s, server_lifetime),
      authority.self(), ec);
    client_plain_options options{
      device_key, authority.issue(device_key, role::device, id_bytes{2}, now_s, device_lifetime),
      {}, [] { return now_s; }};
    options.server.authority_pin = authority.self().spki_sha256();
    options.server.server_id = server_id;
    agent = client_plain_context::make(options, ec);
    MUSTER_ASSERT(server && agent, "the fleet is a good one");
  }
};

void change(std::string& bytes, std::span<const std::uint8_t, change_bytes> how) {
  const std::size_t at = ((std::size_t{how[2]} << 8U) | how[3]) % (bytes.size() + 1);
  const std::size_t value = how[4];
  switch (how[1] % 6) {
  case 0:
    if (at < bytes.size())
      bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(value));
    break;
  case 1:
    bytes.erase(at, value);
    break;
  case 2:
    bytes.insert(at, 1, static_cast<char>(value));
    break;
  case 3:
    bytes.insert(at, bytes.substr(at, value));
    break;
  case 4:
    bytes.resize(at);
    break;
  default:
    std::rotate(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end());
    break;
  }
}

struct end_of_wire {
  plain_engine engine;
  std::string heard;
  std::error_code ec;
};

struct arrival {
  bool same = false;   ///< as it was sent
  bool begins = false; ///< that, perhaps with something behind it
};

arrival carry(std::string& bytes, std::size_t flight, std::span<const std::uint8_t> script,
           end_of_wire& to, std::string& answer) {
  const auto before = bytes;
  for (std::size_t n = 0; n < changes_max && script.size() >= change_bytes; ++n) {
    if (script[0] % flights == flight)
      change(bytes, script.first<change_bytes>());
    script = script.subspan(change_bytes);
  }
  to.ec = to.engine.receive(
    {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, to.heard, answer);
  const arrival out{bytes == before, bytes.starts_with(before)};
  bytes.clear();
  return out;
}

void say_all(plain_engine& who, std::string& out) {
  for (const auto* text : {"one", "two"})
    MUSTER_ASSERT(!who.send(text, out), "an open engine sends");
  who.shutdown(out);
}

/// Nothing but what was said, from its beginning; and its end only with all of it.
void check_heard(const end_of_wire& who, bool unchanged) {
  MUSTER_ASSERT(std::string_view("onetwo").starts_with(who.heard), "only what was said is heard");
  MUSTER_ASSERT(!who.engine.peer_closed() || who.heard == "onetwo", "the end is the end of all");
  MUSTER_ASSERT(!unchanged || (who.engine.peer_closed() && !who.ec), "what nobody changed arrives");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fleet everybody;
  const std::span script(data, size);
  end_of_wire agent{plain_engine(everybody.agent), {}, {}};
  end_of_wire server{plain_engine(everybody.server), {}, {}};
  std::string up;
  std::string down;
  MUSTER_ASSERT(!agent.engine.start(up), "an agent can always begin");
  const auto hello = carry(up, 0, script, server, down);
  const auto answer = carry(down, 1, script, agent, up);
  MUSTER_ASSERT(agent.engine.open() == (hello.begins && answer.begins),
                "an agent is open after the right answer to its own words, and only then");
  if (!agent.engine.open() || agent.ec)
    return 0;
  say_all(agent.engine, up);
  const auto words = carry(up, 2, script, server, down);
  check_heard(server, hello.same && words.same);
  if (!server.engine.open() || server.ec)
    return 0;
  say_all(server.engine, down);
  const auto last = carry(down, 3, script, agent, up);
  check_heard(agent, answer.same && last.same);
  return 0;
}
