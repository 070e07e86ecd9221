#include "actors/server/convert.hpp"

#include "net/wire/agent.pb.h"

#include <algorithm>
#include <cstring>

namespace muster::actors::convert {

namespace {

template <class Digests>
std::optional<section_digests> read_digests(const Digests& from, std::string& problem) {
  section_digests out{};
  std::uint32_t seen = 0;
  for (const auto& one : from) {
    const auto index = static_cast<std::size_t>(one.section()) - 1;
    if (one.section() < 1 || index >= sections)
      continue; // a newer agent's section
    if (one.digest().size() != out[index].size()) {
      problem = "a section digest must have 16 bytes";
      return std::nullopt;
    }
    if (seen >> index & 1) {
      problem = "a section's digest comes twice";
      return std::nullopt;
    }
    seen |= 1U << index;
    std::memcpy(out[index].data(), one.digest().data(), out[index].size());
  }
  return out;
}

void fill_plan(wire::sync_plan& plan, std::uint32_t wanted) {
  for (std::size_t i = 0; i < sections; ++i) {
    if (wanted >> i & 1)
      plan.add_wanted(static_cast<wire::section>(i + 1));
  }
}

} // namespace

std::optional<section_digests> digests(const wire::hello& from, std::string& problem) {
  return read_digests(from.digests(), problem);
}

std::optional<section_digests> digests(const wire::agent_message& from, std::string& problem) {
  return read_digests(from.sync_request().digests(), problem);
}

device_statistics statistics(const wire::statistics& from) {
  device_statistics out;
  out.uptime_s = from.uptime_s();
  out.memory_available_kb = from.memory_available_kb();
  out.disk_free_mb = from.disk_free_mb();
  out.load_milli = from.load_milli();
  out.disk_used_percent = std::min(from.disk_used_percent(), 100U);
  return out;
}

std::optional<hello_facts> hello(const wire::hello& from, std::string& problem) {
  const auto device = device_id::from_bytes(from.device_id());
  const auto boot = boot_id::from_bytes(from.boot_id());
  const auto fingerprint = machine_fingerprint::from_bytes(from.fingerprint());
  if (!device || !boot || !fingerprint)
    problem = "device id, boot id and fingerprint of a hello must have 16 bytes each";
  else if (from.protocol() < 1)
    problem = "a hello must name its protocol version";
  else if (from.agent_version().size() > name_bytes_max)
    problem = "the agent's version is too long";
  else if (from.wake_port() > UINT16_MAX)
    problem = "the port for wakes is none";
  if (!problem.empty())
    return std::nullopt;
  hello_facts out;
  out.device = *device;
  out.boot = *boot;
  out.fingerprint = *fingerprint;
  out.counter = from.counter();
  out.agent_version = from.agent_version();
  out.statistics = statistics(from.statistics());
  out.wake_port = static_cast<std::uint16_t>(from.wake_port());
  out.wake_counter = from.wake_counter();
  out.sync_period_s = std::min(from.sync_period_s(), sync_period_s_max);
  return out;
}

std::optional<enrolment> enrolment_of(const wire::enrol_request& from, const net::peer_info& peer,
                                      std::string& problem) {
  const auto fingerprint = machine_fingerprint::from_bytes(from.fingerprint());
  if (!fingerprint)
    problem = "the machine fingerprint must have 16 bytes";
  else if (!peer.exporter)
    problem = "this connection cannot be used to enrol";
  else if (from.host_name().size() > name_bytes_max || from.agent_version().size() > name_bytes_max)
    problem = "host name or agent version is too long";
  if (!problem.empty())
    return std::nullopt;
  enrolment out;
  out.token = from.token();
  out.csr = from.csr();
  out.proof = from.proof();
  out.host_name = from.host_name();
  out.agent_version = from.agent_version();
  out.fingerprint = *fingerprint;
  out.exporter = *peer.exporter;
  out.address = peer.address;
  return out;
}

std::string refused(refusal why, std::string_view text) {
  wire::server_message out;
  out.mutable_refused()->set_reason(static_cast<wire::refusal>(why));
  out.mutable_refused()->set_text(std::string(text));
  return out.SerializeAsString();
}

std::string busy(std::uint32_t retry_after_ms) {
  wire::server_message out;
  out.mutable_busy()->set_retry_after_ms(retry_after_ms);
  return out.SerializeAsString();
}

std::string goodbye(std::uint32_t return_after_ms, std::string_view text) {
  wire::server_message out;
  out.mutable_goodbye()->set_return_after_ms(return_after_ms);
  out.mutable_goodbye()->set_text(std::string(text));
  return out.SerializeAsString();
}

std::string ping() {
  wire::server_message out;
  out.mutable_ping();
  return out.SerializeAsString();
}

std::string enrol_reply(const enrolment_result& result, const enrolment_gifts& gifts) {
  wire::server_message out;
  auto& reply = *out.mutable_enrol_reply();
  reply.set_device_id(result.device.raw());
  reply.set_certificate(result.certificate);
  for (const auto& one : gifts.bundle)
    reply.add_bundle(one);
  reply.set_server_id(gifts.server_id);
  reply.set_wake_public_key(gifts.wake_public_key);
  return out.SerializeAsString();
}

std::string welcome(const session_services& services, const admission& decision,
                    std::uint32_t wanted,
                    const std::vector<net::device_datagram_keys>& datagram_keys) {
  wire::server_message out;
  auto& to = *out.mutable_welcome();
  to.set_server_time_ms(services.now() / 1000);
  to.set_went_back(decision.went_back);
  fill_plan(*to.mutable_plan(), wanted);
  to.set_sync_period_s(services.settings.sync_period_s);
  to.set_sync_jitter_percent(services.settings.sync_jitter_percent);
  to.set_server_version(services.settings.server_version);
  to.set_keep(decision.keep);
  if (decision.manifest)
    fill(*to.mutable_manifest(), *decision.manifest);
  for (const auto& one : datagram_keys) {
    auto& keys = *to.add_datagram_keys();
    keys.set_generation(one.generation);
    keys.set_wake_key(one.wake.data(), one.wake.size());
    keys.set_notice_key(one.notice.data(), one.notice.size());
  }
  return out.SerializeAsString();
}

std::string sync_now() {
  wire::server_message out;
  out.mutable_sync_now();
  return out.SerializeAsString();
}

std::string wake_test_sent(bool sent, const std::string& text) {
  wire::server_message out;
  out.mutable_wake_test_sent()->set_sent(sent);
  out.mutable_wake_test_sent()->set_text(text);
  return out.SerializeAsString();
}

std::string keep(bool on) {
  wire::server_message out;
  out.mutable_keep()->set_on(on);
  return out.SerializeAsString();
}

std::string sync_plan(std::uint32_t wanted) {
  wire::server_message out;
  fill_plan(*out.mutable_sync_plan(), wanted);
  return out.SerializeAsString();
}

std::string sync_done() {
  wire::server_message out;
  out.mutable_sync_done();
  return out.SerializeAsString();
}

std::string events_position(const event_position& at) {
  wire::server_message out;
  out.mutable_events_position()->set_epoch(at.epoch);
  out.mutable_events_position()->set_sequence(at.sequence);
  return out.SerializeAsString();
}

std::string events_ack(const event_position& up_to) {
  wire::server_message out;
  out.mutable_events_ack()->set_epoch(up_to.epoch);
  out.mutable_events_ack()->set_sequence(up_to.sequence);
  return out.SerializeAsString();
}

} // namespace muster::actors::convert
