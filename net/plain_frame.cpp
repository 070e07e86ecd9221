#include "net/plain_frame.hpp"

#include "net/certificate.hpp"
#include "net/der.hpp"

#include <muster/assert.hpp>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <limits>

namespace muster::net {

namespace {

void put_length(std::size_t bytes, std::string& out) {
  for (const unsigned shift : {24U, 16U, 8U, 0U})
    out += static_cast<char>(static_cast<std::uint8_t>(bytes >> shift));
}

std::size_t length_at(std::string_view header) {
  std::size_t bytes = 0;
  for (const char c : header.substr(0, frame_header_bytes))
    bytes = (bytes << 8U) | static_cast<std::uint8_t>(c);
  return bytes;
}

/// Over the frame's number, its length as on the wire, kind and body.
std::string tag_of(const plain_key& key, std::uint64_t number, std::string_view kind_and_body) {
  std::string front;
  put_length(number >> 32U, front);
  put_length(number & std::numeric_limits<std::uint32_t>::max(), front);
  put_length(kind_and_body.size() + plain_tag_bytes, front);
  std::array<std::uint8_t, 32> whole{};
  unsigned size = 0;
  bssl::ScopedHMAC_CTX context;
  const bool ok =
    HMAC_Init_ex(context.get(), key.data(), key.size(), EVP_sha256(), nullptr) == 1 &&
    HMAC_Update(context.get(), der::bytes(front), front.size()) == 1 &&
    HMAC_Update(context.get(), der::bytes(kind_and_body), kind_and_body.size()) == 1 &&
    HMAC_Final(context.get(), whole.data(), &size) == 1;
  MUSTER_ASSERT(ok && size == whole.size(), "a hash has no reason to fail");
  return {whole.begin(), whole.begin() + plain_tag_bytes};
}

} // namespace

void put_plain_frame(plain_kind kind, std::string_view body, std::string& out) {
  put_length(1 + body.size(), out);
  out += static_cast<char>(kind);
  out += body;
}

void plain_sealer::seal(plain_kind kind, std::string_view body, std::string& out) {
  MUSTER_ASSERT(body.size() <= plain_data_bytes_max, "whoever seals cuts into pieces");
  MUSTER_ASSERT(number_ != std::numeric_limits<std::uint64_t>::max(),
                "no connection lives that long");
  put_length(1 + body.size() + plain_tag_bytes, out);
  const auto begin = out.size();
  out += static_cast<char>(kind);
  out += body;
  out += tag_of(key_, number_++, std::string_view(out).substr(begin));
}

bool plain_opener::open(std::string_view payload, plain_kind& kind, std::string_view& body) {
  if (payload.size() < 1 + plain_tag_bytes)
    return false;
  const auto sealed = payload.substr(0, payload.size() - plain_tag_bytes);
  if (!equal_in_constant_time(tag_of(key_, number_, sealed), payload.substr(sealed.size())))
    return false;
  ++number_;
  kind = static_cast<plain_kind>(sealed.front());
  body = sealed.substr(1);
  return true;
}

frame_status plain_frame_cutter::next(std::string_view& in, std::size_t bytes_max,
                                      std::string_view& payload) {
  if (delivered_) {
    std::string().swap(partial_); // an idle connection holds no buffer
    delivered_ = false;
  }
  if (partial_.empty()) {
    const auto front = peek_frame(in, bytes_max);
    if (front.status == frame_status::complete) {
      payload = front.payload;
      in.remove_prefix(front.frame_bytes);
    }
    if (front.status != frame_status::incomplete)
      return front.status;
  }
  // First the header, then as much as it says.
  for (const bool header : {true, false}) {
    const auto whole =
      header ? frame_header_bytes : frame_header_bytes + length_at(partial_);
    const auto missing = whole - std::min(whole, partial_.size());
    const auto taken = in.substr(0, missing);
    partial_ += taken;
    in.remove_prefix(taken.size());
    if (taken.size() < missing)
      return frame_status::incomplete;
    if (header && length_at(partial_) > bytes_max)
      return frame_status::too_large;
  }
  delivered_ = true;
  payload = std::string_view(partial_).substr(frame_header_bytes);
  return frame_status::complete;
}

} // namespace muster::net
