#include "actors/server/audit.hpp"

#include "net/certificate.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <array>
#include <atomic>
#include <bit>

namespace muster::actors {

namespace {

std::uint64_t random_beginning() {
  std::array<std::uint8_t, sizeof(std::uint32_t)> bytes{};
  net::random_bytes(bytes);
  return std::uint64_t{std::bit_cast<std::uint32_t>(bytes)} << 32;
}

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> number{random_beginning()};
  return number.fetch_add(1, std::memory_order_relaxed);
}

} // namespace

storage::change audit_change(const audit_entry& entry, std::int64_t time_us) {
  storage::record::audit record;
  record.set_time_us(time_us);
  record.set_actor(storage::records::clean_text(entry.actor));
  record.set_source(storage::records::clean_text(entry.source));
  record.set_action(storage::records::clean_text(entry.action));
  record.set_subject(storage::records::clean_text(entry.subject));
  record.set_detail(storage::records::clean_text(entry.detail));
  return storage::put(storage::family::audit, storage::keys::audit(time_us, next_number()),
                      storage::records::encode(record));
}

} // namespace muster::actors
