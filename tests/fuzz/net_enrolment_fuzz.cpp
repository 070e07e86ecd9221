// The one message an anonymous peer may send, as far as net goes: the frame's payload, the request
// in it, the key of the request, the proof by that key (over an exporter of zeros).
#include "net/certificate.hpp"
#include "net/enrolment_proof.hpp"
#include "net/limits.hpp"
#include "net/wire/agent.pb.h"

#include <muster/assert.hpp>

#include <google/protobuf/stubs/logging.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster;
  if (size > net::limits::frame_bytes_anonymous_max)
    return 0;
  // The library's complaints about bad text say nothing that the result does not.
  static auto* const silenced = google::protobuf::SetLogHandler(nullptr);
  static_cast<void>(silenced);
  wire::agent_message message;
  if (!message.ParseFromArray(data, static_cast<int>(size)))
    return 0;
  wire::agent_message again;
  MUSTER_ASSERT(again.ParseFromString(message.SerializeAsString()),
                "a message survives its written form");
  if (!message.has_enrol_request())
    return 0;
  const auto& request = message.enrol_request();
  std::error_code ec;
  const auto key = net::key_of_csr(request.csr(), ec);
  MUSTER_ASSERT(key.has_value() == !ec, "an error has a reason, a key has none");
  if (!key)
    return 0;
  constexpr std::array<std::uint8_t, 32> exporter{};
  static_cast<void>(key->verify(net::enrolment_proof_message(exporter), request.proof()));
  return 0;
}
