// The part of self_check that judges the way to the server: name, ports, handshakes.
#include "actors/agent/self_check_steps.hpp"
#include "net/errc.hpp"

#include <spdlog/fmt/fmt.h>

namespace muster::actors::check_steps {

namespace {

using net::errc;

constexpr const char* not_reached = "the step before failed";

/// TLS is not the way of this device; it is needed for keys, and for what never goes in the clear.
bool can_do_without_tls(const check_facts& facts) {
  const auto& now = facts.after ? facts.after : facts.before;
  return facts.plain && now && now->wake_keys;
}

check_step no_connection(const std::string& step, const check_facts& facts,
                         const check_attempt& attempt, std::uint16_t port) {
  const auto text = fmt::format("TCP port {} of {}: {}", port, facts.host, attempt.ec.message());
  if (attempt.ec == std::errc::connection_refused)
    return bad(step, text, check_fault::server,
               "the machine is there, but nobody listens: is the server running, and is the port "
               "right?");
  if (attempt.ec == errc::timed_out || attempt.ec == std::errc::timed_out)
    return bad(step, text, check_fault::network,
               "no answer at all: a firewall in between drops it, the address is wrong, or that "
               "machine is off");
  if (attempt.ec == std::errc::network_unreachable || attempt.ec == std::errc::host_unreachable)
    return bad(step, text, check_fault::network,
               "this machine has no way there: look at its network, addresses and routes");
  return bad(step, text, check_fault::network, "look at this machine's network and what is in between");
}

bool is_one_of(const std::error_code& ec, std::initializer_list<errc> codes) {
  for (const auto code : codes)
    if (ec == net::make_error_code(code))
      return true;
  return false;
}

check_step no_handshake(const std::string& step, const check_facts& facts,
                        const check_attempt& attempt, std::uint16_t port) {
  const auto& ec = attempt.ec;
  const auto text = fmt::format("{} port {}: {}", facts.host, port, ec.message());
  if (is_one_of(ec, {errc::pin_mismatch, errc::certificate_foreign, errc::certificate_wrong_name}))
    return bad(step, text, check_fault::server,
               "another server answers there than the one this machine enrolled to: check the "
               "address; if the server was set up anew, `muster-agent move` goes to it");
  if (is_one_of(ec, {errc::certificate_expired}))
    return bad(step, text, check_fault::this_machine,
               "the server's certificate is outside its validity by this machine's clock: set the "
               "clock; if it is right, the server's certificate has to be renewed");
  if (is_one_of(ec, {errc::peer_refused_us}))
    return bad(step, text, check_fault::server,
               "the server does not take this device's certificate: it was set up anew; enrol this "
               "machine again");
  if (is_one_of(ec, {errc::timed_out}))
    return bad(step, text, check_fault::server,
               "it takes connections but does not answer: it is overloaded or stuck, or something in "
               "between answers in its place");
  if (ec.category() == net::net_category())
    return bad(step, text, check_fault::server,
               "what answers there is no Muster server for agents: check address and port");
  return bad(step, text, check_fault::network,
             "the connection was cut in the middle: by the server, which may be full, or by what is in "
             "between");
}

} // namespace

check_step name(const check_facts& facts) {
  if (!facts.name)
    return left_out("name", not_reached);
  if (facts.name->ec)
    return bad("name", fmt::format("no address is known for '{}' ({})", facts.host, facts.name->detail),
               check_fault::network, "check the name, and this machine's DNS (/etc/resolv.conf)");
  std::string all;
  for (const auto& one : facts.addresses)
    all += (all.empty() ? "" : ", ") + one;
  return well("name", facts.host == all ? all : facts.host + " is " + all);
}

check_step tcp(const check_facts& facts) {
  if (!facts.tcp)
    return left_out("port", not_reached);
  if (!facts.tcp->ec)
    return well("port", fmt::format("TCP port {} is open", facts.port));
  auto out = no_connection("port", facts, *facts.tcp, facts.port);
  if (can_do_without_tls(facts))
    return left_out("port", out.text + "; not needed now: transport is plain");
  return out;
}

check_step tls(const check_facts& facts) {
  if (!facts.tls)
    return left_out("tls", not_reached);
  if (!facts.tls->ec)
    return well("tls", "both sides have proved who they are");
  return no_handshake("tls", facts, *facts.tls, facts.port);
}

check_step plain(const check_facts& facts) {
  if (!facts.plain)
    return left_out("plain", "transport is tls");
  if (!facts.plain_tcp)
    return left_out("plain", not_reached);
  if (facts.plain_tcp->ec) {
    auto out = no_connection("plain", facts, *facts.plain_tcp, facts.plain_port);
    if (facts.plain_tcp->ec == std::errc::connection_refused)
      out.remedy += " The server needs plain.enabled for transport plain, and plain_port must be its "
                    "plain.port.";
    return out;
  }
  if (!facts.plain_handshake)
    return left_out("plain", not_reached);
  if (!facts.plain_handshake->ec)
    return well("plain", fmt::format("both sides have proved who they are at TCP port {}",
                                     facts.plain_port));
  return no_handshake("plain", facts, *facts.plain_handshake, facts.plain_port);
}

} // namespace muster::actors::check_steps
