// The messages of the plain port's handshake come from anybody who reaches it. What is read is what
// we would have written. The first byte says which kind is expected.
#include "net/plain_messages.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace muster::net;

void check_hello(std::string_view in, plain_kind kind) {
  auto why = errc::success;
  const auto found = plain::read_hello(in, kind, why);
  MUSTER_ASSERT(found.has_value() == (why == errc::success), "an error has a reason, a hello none");
  if (!found)
    return;
  const std::vector<std::string> chain(found->chain.begin(), found->chain.end());
  auto again = plain::write_hello(kind, found->nonce, found->share, chain);
  MUSTER_ASSERT(again == found->signed_part, "what is signed is all but the signature");
  if (kind == plain_kind::server_hello)
    plain::append_prefixed(found->signature, again);
  MUSTER_ASSERT(again == in, "a hello is the bytes it was read from");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > plain_handshake_bytes_max)
    return 0;
  const std::string_view in(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_hello(in, (data[0] & 1U) != 0 ? plain_kind::server_hello : plain_kind::agent_hello);
  if (const auto signature = plain::read_proof(in)) {
    std::string again(1, static_cast<char>(plain_kind::agent_proof));
    plain::append_prefixed(*signature, again);
    MUSTER_ASSERT(again == in, "a proof is the bytes it was read from");
  }
  if (const auto why = plain::read_refusal(in))
    MUSTER_ASSERT(*why != errc::success && in.size() == 2, "a refusal has one reason");
  return 0;
}
