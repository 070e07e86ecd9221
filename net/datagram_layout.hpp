#pragma once
// Writing and reading the fixed layouts of datagrams. For the datagram files only.

#include "net/certificate.hpp"
#include "net/der.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace muster::net::layout {

/// Appends fields to a datagram.
class writer {
public:
  explicit writer(std::size_t bytes) { out_.reserve(bytes); }

  void text(std::string_view bytes) { out_.append(bytes); }
  void bytes(std::span<const std::uint8_t> data) { out_.append(der::view(data)); }
  template <std::unsigned_integral Number>
  void number(Number value) {
    for (std::size_t left = sizeof(Number); left-- > 0;)
      out_ += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * left) & 0xffU);
  }

  [[nodiscard]] std::string_view so_far() const noexcept { return out_; }
  [[nodiscard]] std::string finish(std::size_t bytes) {
    MUSTER_ASSERT(out_.size() == bytes, "a datagram has the length its layout says");
    return std::move(out_);
  }

private:
  std::string out_;
};

/// Takes fields off a datagram whose length has been checked.
class reader {
public:
  explicit reader(std::string_view datagram) : rest_(datagram) {}

  [[nodiscard]] std::string_view text(std::size_t bytes) {
    MUSTER_ASSERT(bytes <= rest_.size(), "the length of a datagram is checked first");
    const auto out = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return out;
  }
  [[nodiscard]] id_bytes id() {
    const auto bytes = text(std::tuple_size_v<id_bytes>);
    id_bytes out{};
    std::copy_n(der::bytes(bytes), out.size(), out.begin());
    return out;
  }
  template <std::unsigned_integral Number>
  [[nodiscard]] Number number() {
    std::uint64_t out = 0;
    for (const char byte : text(sizeof(Number)))
      out = out << 8U | static_cast<std::uint8_t>(byte);
    return static_cast<Number>(out);
  }

private:
  std::string_view rest_;
};

} // namespace muster::net::layout
