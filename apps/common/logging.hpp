#pragma once
// Where log lines go: stderr, shaped for whoever reads it, a person or the journal.

#include <string>
#include <string_view>
#include <vector>

namespace muster::logging {

/// "trace", "debug", "info", "warning", "error", "off".
[[nodiscard]] const std::vector<std::string>& level_names();

/// Makes spdlog's default logger ours. Call once, before threads start; `level` must be one of the
/// names. Under systemd (JOURNAL_STREAM names our stderr) lines carry the priority as "<6>" and no
/// time, which the journal adds itself; elsewhere UTC time and level. One message is one line: what
/// peers and files put into it cannot begin another. Nobody waits for whoever reads stderr: what a
/// pipe has no room for is dropped and counted (patient_sink). Secrets are never given to a logger.
void start(std::string_view level);

/// A message as one line, control characters and bad UTF-8 made visible.
[[nodiscard]] std::string one_line(std::string_view message);

/// Whether stderr is the journal's stream.
[[nodiscard]] bool is_journal(const char* journal_stream, int descriptor);

} // namespace muster::logging
