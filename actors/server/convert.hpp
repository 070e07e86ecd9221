#pragma once
// The border between what agents say (net/wire) and what the server's actors hand each other.
// Whatever an agent says is data: here it is bounded and checked, once.

#include "actors/messages.hpp"
#include "actors/server/session_services.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::wire {
class document_manifest;
class documents_request;
class enrol_request;
class events;
class hello;
class section_digest;
} // namespace muster::wire

namespace muster::actors::convert {

/// Bounds on what one agent may say of itself and of one event. Longer is refused.
inline constexpr std::size_t name_bytes_max = 255;
/// A device that calls itself slower than this is judged as if it were as fast.
inline constexpr std::uint32_t sync_period_s_max = 30 * 24 * 3600;
inline constexpr std::size_t events_per_batch_max = 1000;
inline constexpr std::size_t event_type_bytes_max = 128;
inline constexpr std::size_t event_text_bytes_max = 2 * 1024;
inline constexpr std::size_t event_attributes_max = 32;
inline constexpr std::size_t event_attribute_bytes_max = 1024; ///< key and value together

// -- from agents ------------------------------------------------------------------------------
// On failure the answer is empty and `problem` says in a sentence what was wrong.

/// Digests of the sections this version knows; others are left out. Empty when one is not 16 bytes
/// long or a section comes twice.
[[nodiscard]] std::optional<section_digests> digests(const wire::hello& from, std::string& problem);
[[nodiscard]] std::optional<section_digests> digests(const wire::agent_message& sync_request,
                                                     std::string& problem);

[[nodiscard]] device_statistics statistics(const wire::statistics& from);

/// `documents` as a hello or sync_request has it. Empty when it is neither empty nor a digest.
[[nodiscard]] std::optional<document_standing> standing(const std::string& documents,
                                                        bool encrypted, std::string& problem);

/// Within the bounds of net/documents.hpp.
[[nodiscard]] std::optional<document_wishes> document_wishes_of(const wire::documents_request& from,
                                                                std::string& problem);

/// Everything but the session and what the handshake proved.
[[nodiscard]] std::optional<hello_facts> hello(const wire::hello& from, std::string& problem);

[[nodiscard]] std::optional<enrolment> enrolment_of(const wire::enrol_request& from,
                                                    const net::peer_info& peer,
                                                    std::string& problem);

/// Events of one batch, judged against every bound above; sequences must grow.
[[nodiscard]] std::optional<event_append> append_of(const wire::events& from,
                                                    const device_id& device,
                                                    const std::string& device_name,
                                                    std::int64_t now_us, std::string& problem);

// -- to agents: whole frames' payloads ----------------------------------------------------------

[[nodiscard]] std::string refused(refusal why, std::string_view text);
[[nodiscard]] std::string busy(std::uint32_t retry_after_ms);
[[nodiscard]] std::string goodbye(std::uint32_t return_after_ms, std::string_view text);
[[nodiscard]] std::string ping();
[[nodiscard]] std::string enrol_reply(const enrolment_result& result, const enrolment_gifts& gifts);
/// `wanted`: bit n set asks for section n + 1.
[[nodiscard]] std::string welcome(const session_services& services, const admission& decision,
                                  std::uint32_t wanted,
                                  const std::vector<net::device_datagram_keys>& datagram_keys);
/// Also a part of the welcome.
[[nodiscard]] std::string manifest(const document_manifest& from);
void fill(wire::document_manifest& out, const document_manifest& from);
/// One answer, in parts of at most 256 KB. Not empty.
[[nodiscard]] std::vector<std::string> document_parts(const std::vector<document_parcel>& from);
[[nodiscard]] std::string sync_now();
[[nodiscard]] std::string keep(bool on);
[[nodiscard]] std::string wake_test_sent(bool sent, const std::string& text);
[[nodiscard]] std::string sync_plan(std::uint32_t wanted);
[[nodiscard]] std::string sync_done();
[[nodiscard]] std::string events_position(const event_position& at);
[[nodiscard]] std::string events_ack(const event_position& up_to);

} // namespace muster::actors::convert
