#include "actors/server/audit.hpp"

#include "net/certificate.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <array>
#include <bit>

namespace muster::actors {

storage::change audit_change(const audit_entry& entry, std::int64_t time_us,
                             std::uint64_t number) {
  storage::record::audit record;
  record.set_time_us(time_us);
  record.set_actor(storage::records::clean_text(entry.actor));
  record.set_source(storage::records::clean_text(entry.source));
  record.set_action(storage::records::clean_text(entry.action));
  record.set_subject(storage::records::clean_text(entry.subject));
  record.set_detail(storage::records::clean_text(entry.detail));
  return storage::put(storage::family::audit, storage::keys::audit(time_us, number),
                      storage::records::encode(record));
}

storage::change audit_change(const audit_entry& entry, std::int64_t time_us) {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  net::random_bytes(bytes);
  return audit_change(entry, time_us, std::bit_cast<std::uint64_t>(bytes));
}

} // namespace muster::actors
