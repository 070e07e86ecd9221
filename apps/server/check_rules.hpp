#pragma once
// What `muster-server check` thinks of what it has found. Pure: facts in, findings out; whoever
// finds the facts is check_facts.hpp.

#include "apps/server/local_control.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace muster::server {

enum class verdict : std::uint8_t { ok, warning, failed };

struct finding {
  verdict how = verdict::ok;
  std::string what; ///< "port 13000", "disk"
  std::string text; ///< what is so and, unless ok, what to do
  bool operator==(const finding&) const = default;
};
using findings = std::vector<finding>;

struct directory_facts {
  std::string path;
  std::error_code ec; ///< it cannot be looked at
  bool there = false;
  bool is_directory = false;
  std::uint32_t mode = 0;     ///< its nine bits
  bool owner_differs = false; ///< what is inside belongs to somebody else
  std::string owner;
};
[[nodiscard]] finding judge_directory(const directory_facts& of);

struct identity_facts {
  std::string directory;
  bool there = false;
  bool store_there = false; ///< so this server has run before
  std::string problem;      ///< of one that is there
};
[[nodiscard]] finding judge_identity(const identity_facts& of);

struct certificate_facts {
  std::int64_t not_before_s = 0;
  std::int64_t not_after_s = 0;
  bool is_authority = false;
  bool server_runs = false;
};
[[nodiscard]] finding judge_certificate(const certificate_facts& of, std::int64_t now_s);

struct port_facts {
  std::string setting; ///< "agents"
  std::string address;
  std::uint16_t port = 0;
  bool datagrams = false;
  std::error_code taking;            ///< what came of trying to take it
  std::optional<std::uint16_t> held; ///< what the running server says; empty: none runs
};
[[nodiscard]] finding judge_port(const port_facts& of);

struct descriptor_facts {
  std::uint64_t limit = 0; ///< of the running server, or what we would get
  bool of_running_server = false;
  std::uint64_t beside = 0;          ///< what is needed beside connections
  std::uint64_t connections_max = 0; ///< all ports together; 0: as many as can be had
  std::uint64_t devices = 0;         ///< known; 0: not told
};
[[nodiscard]] finding judge_descriptors(const descriptor_facts& of);

/// `reserve`: below it nothing is acknowledged any more.
[[nodiscard]] finding judge_disk(std::uint64_t free_bytes, std::uint64_t reserve_bytes,
                                 const std::string& directory);

/// Settings of the kernel; empty: it has no such thing.
struct kernel_facts {
  std::optional<std::uint64_t> somaxconn;
  std::optional<std::uint64_t> rmem_max;
  std::optional<std::uint64_t> nr_open;
  std::optional<std::uint64_t> conntrack_max;
};
struct kernel_wants {
  std::uint64_t backlog = 0;
  std::uint64_t datagram_buffer_bytes = 0;
  std::uint64_t descriptors = 0;
};
[[nodiscard]] findings judge_kernel(const kernel_facts& of, const kernel_wants& wants);

/// Empty: the kernel does not say whether somebody sets its clock.
[[nodiscard]] finding judge_clock(std::optional<bool> is_synchronised);

struct server_facts {
  asked how = asked::not_running;
  std::string problem;
  server_report report;
  std::string our_version;
  std::int64_t now_us = 0;
};
[[nodiscard]] findings judge_server(const server_facts& of);

// -- all of them ----------------------------------------------------------------------------------

/// 0 when nothing has failed; warnings are fine.
[[nodiscard]] int exit_code_of(const findings& all);
/// One line each.
[[nodiscard]] std::string as_lines(const findings& all);
/// {"findings":[{"what":...,"verdict":"ok","text":...}],"failed":0,"warnings":0}
[[nodiscard]] std::string as_json(const findings& all);

} // namespace muster::server
