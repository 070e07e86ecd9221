#include "actors/server/api/stored_section.hpp"

#include "actors/server/session_limits.hpp"
#include "net/certificate.hpp"
#include "storage/compress.hpp"

namespace muster::actors::api {

bool get_section(const storage::store& from, storage::keys::device_view device,
                 std::uint16_t number, storage::record::section& out, std::error_code& ec) {
  const auto value =
    from.get(storage::family::inventory, storage::keys::section(device, number), ec);
  if (!ec && value)
    ec = storage::records::decode(*value, out);
  return !ec && value;
}

std::error_code unpack(const storage::record::section& section, std::uint16_t number,
                       google::protobuf::Message& out) {
  std::string content;
  const auto bytes_max = session_limits::section_bytes_max.at(number - 1U);
  if (const auto ec = storage::decompress(section.compressed(), bytes_max, content))
    return ec;
  return out.ParseFromString(content) ? std::error_code{} : make_error_code(storage::errc::corrupt);
}

std::string digest_of(const storage::record::section& section) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(section.digest().data());
  return net::to_hex({bytes, section.digest().size()});
}

} // namespace muster::actors::api
