#pragma once
// Every bound on what the network may make us do, in one place.

#include <chrono>
#include <cstddef>

namespace muster::net::limits {

using namespace std::chrono_literals;

/// Frame payload before the peer is authenticated, and after.
inline constexpr std::size_t frame_bytes_anonymous_max = 4 * 1024 - 4;
inline constexpr std::size_t frame_bytes_max = 1024 * 1024;

/// One part of a section (wire section_chunk.data).
inline constexpr std::size_t chunk_bytes_max = 256 * 1024;

/// A link's queue towards the peer, in bytes of messages not yet written.
inline constexpr std::size_t outbound_bytes_max = 4 * 1024 * 1024;

/// TLS handshake and, behind it, the time until the first message.
inline constexpr auto handshake_max = 10s;
/// How long close() goes on writing what is queued.
inline constexpr auto flush_max = 5s;
/// How long a closed connection waits for the peer's end, so that our last words are not lost to a
/// reset. Nobody else waits for this.
inline constexpr auto linger_max = 2s;
/// A message that has begun may pause this long between two of its bytes.
inline constexpr auto message_stall_max = 60s;
/// A client's connection attempt to one address.
inline constexpr auto connect_max = 10s;

/// Handshakes in progress on one port; the next one waits in the kernel's backlog.
inline constexpr std::size_t handshakes_max = 4096;

/// One io thread's read-ahead buffer, shared by all its links.
inline constexpr std::size_t read_ahead_bytes = 64 * 1024;

/// What a link encrypts and writes in one go, and how often before it lets others have their turn.
inline constexpr std::size_t write_slice_bytes = 64 * 1024;
inline constexpr std::size_t write_slices_max = 8;

/// HTTP request head; request body before link::trust() and after; response body, for clients.
inline constexpr std::size_t http_head_bytes_max = 16 * 1024;
inline constexpr std::size_t http_body_bytes_anonymous_max = 64 * 1024;
inline constexpr std::size_t http_body_bytes_max = 1024 * 1024;
inline constexpr std::size_t http_response_bytes_max = 16 * 1024 * 1024;

/// A client gives an event stream up that has not even sent a comment for so long.
inline constexpr auto event_stream_silence_max = 90s;

/// A UDP socket in use is looked at this often, and takes so many datagrams each time.
inline constexpr auto datagram_slice = 10ms;
inline constexpr std::size_t datagrams_per_slice_max = 1024;
/// Datagrams in the hands of an actor; datagrams waiting to be sent; the kernel's buffer.
inline constexpr std::size_t datagrams_window = 4096;
inline constexpr std::size_t datagrams_queue_max = 4096;
inline constexpr std::size_t datagram_buffer_bytes = 4 * 1024 * 1024;

/// One message on a local (Unix) socket.
inline constexpr std::size_t local_message_bytes_max = 4 * 1024;
inline constexpr std::size_t local_answer_bytes_max = 64 * 1024;
/// A local connection that asks nothing is closed.
inline constexpr auto local_idle_max = 10s;

} // namespace muster::net::limits
