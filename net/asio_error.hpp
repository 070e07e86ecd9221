#pragma once
// Asio has a category of its own for the system's errors, which std::errc does not know.

#include <asio/error.hpp>

#include <system_error>

namespace muster::net {

/// The same error as the rest of the program says it, so that `ec == std::errc::...` works.
[[nodiscard]] inline std::error_code plain_error(std::error_code ec) noexcept {
  if (!ec)
    return {};
  return ec.category() == asio::error::get_system_category()
           ? std::error_code(ec.value(), std::generic_category())
           : ec;
}

} // namespace muster::net
