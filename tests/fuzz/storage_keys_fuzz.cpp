// Keys come off a disk: what parses is exactly what its builder makes, nothing else does. Texts
// that come from agents become keys and come back. The first byte says which kind is expected.
#include "storage/keys.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

namespace keys = muster::storage::keys;

std::string text_of(std::string_view& rest) {
  const auto at = rest.find('|');
  const auto out = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return std::string{out};
}

bool within(const muster::storage::key_range& range, const std::string& key) {
  return key >= range.lower && (range.upper.empty() || key < range.upper);
}

/// An application as an agent names it, on its way into the index and back.
void build_application(std::string_view bytes) {
  keys::application_key what;
  what.name = text_of(bytes);
  what.version = text_of(bytes);
  what.architecture = text_of(bytes);
  what.manager = text_of(bytes);
  for (std::size_t i = 0; i < what.device.size() && i < bytes.size(); ++i)
    what.device[i] = static_cast<std::uint8_t>(bytes[i]);
  const auto key = keys::application(what);
  MUSTER_ASSERT(keys::parse_application(key) == what, "an application comes back from its key");
  MUSTER_ASSERT(within(keys::applications(), key), "it is one of all");
  MUSTER_ASSERT(within(keys::applications_named(what.name), key), "it is found by its name");
  MUSTER_ASSERT(within(keys::applications_named(what.name, what.version), key),
                "it is found by name and version");
  MUSTER_ASSERT(within(keys::applications_beginning_with(what.name.substr(0, 3)), key),
                "it is found by how its name begins");
}

#define MUSTER_ROUND_TRIP(parsed, built)                                                           \
  if (const auto out = keys::parsed)                                                               \
  MUSTER_ASSERT((built) == key, "what parses is what the builder makes")

void parse(std::size_t kind, const std::string& key) {
  switch (kind) {
  case 0:
    MUSTER_ROUND_TRIP(parse_user(key), keys::user(*out));
    break;
  case 1:
    MUSTER_ROUND_TRIP(parse_token(key), keys::token(*out));
    break;
  case 2:
    MUSTER_ROUND_TRIP(parse_setting(key), keys::setting(*out));
    break;
  case 3:
    MUSTER_ROUND_TRIP(parse_device(key), keys::device(*out));
    MUSTER_ROUND_TRIP(parse_device_report(key), keys::device_report(*out));
    MUSTER_ROUND_TRIP(parse_removal(key), keys::removal(*out));
    MUSTER_ROUND_TRIP(parse_position(key), keys::position(*out));
    break;
  case 4:
    MUSTER_ROUND_TRIP(parse_key_hash(key), keys::key_hash(*out));
    break;
  case 5:
    MUSTER_ROUND_TRIP(parse_section(key), keys::section(out->device, out->section));
    break;
  case 6:
    MUSTER_ROUND_TRIP(parse_application(key), keys::application(*out));
    break;
  case 7:
    MUSTER_ROUND_TRIP(parse_event(key), keys::event(out->severity, out->received_us, out->part));
    break;
  case 8:
    MUSTER_ROUND_TRIP(parse_device_event(key),
                      keys::device_event(out->device, out->severity, out->received_us, out->part));
    break;
  case 9:
    MUSTER_ROUND_TRIP(parse_audit(key), keys::audit(out->time_us, out->number));
    break;
  case 10:
    MUSTER_ROUND_TRIP(parse_spooled(key), keys::spooled(*out));
    break;
  default:
    build_application(key);
    break;
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0)
    parse(data[0] % 12, {reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
