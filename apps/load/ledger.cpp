#include "apps/load/ledger.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unordered_map>

namespace muster::load {

namespace {

/// How often the server has each event of the epoch.
std::unordered_map<std::uint64_t, std::uint32_t> stored(console::api& server,
                                                        const ledger_entry& of) {
  std::unordered_map<std::uint64_t, std::uint32_t> out;
  const auto epoch = fmt::format("{:x}", of.epoch);
  std::string cursor;
  do {
    console::query asked{{"device", of.device}, {"limit", "1000"}};
    if (!cursor.empty())
      asked.emplace("cursor", cursor);
    const auto page = nlohmann::json::parse(server.get("/events", asked));
    for (const auto& event : page.value("events", nlohmann::json::array()))
      if (event.value("epoch", "").find(epoch) != std::string::npos)
        ++out[std::stoull(event.value("sequence", "0"))];
    cursor = page.value("nextCursor", "");
  } while (!cursor.empty());
  return out;
}

} // namespace

audit verify(console::api& server, const std::vector<ledger_entry>& ledger) {
  audit out;
  for (const auto& entry : ledger) {
    const auto there = stored(server, entry);
    out.acknowledged += entry.acknowledged;
    for (std::uint64_t sequence = 1; sequence <= entry.acknowledged; ++sequence)
      out.missing += there.contains(sequence) ? 0 : 1;
    for (const auto& [sequence, times] : there)
      out.doubled += times > 1 ? 1 : 0;
  }
  return out;
}

} // namespace muster::load
