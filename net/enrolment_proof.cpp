#include "net/enrolment_proof.hpp"

#include <string_view>

namespace muster::net {

std::string enrolment_proof_message(std::span<const std::uint8_t, 32> exporter) {
  constexpr std::string_view label{"muster enrolment proof v1\0", 26};
  std::string out(label);
  out.append(exporter.begin(), exporter.end());
  return out;
}

} // namespace muster::net
