#pragma once
// Errors between actors: our own few, and std::error_code carried through caf::error.

#include "storage/errc.hpp"

#include <caf/atom.hpp>
#include <caf/error.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>

#include <cstdint>
#include <string>
#include <system_error>

namespace muster::actors {

enum class errc : std::uint8_t {
  none = 0,
  invalid,       ///< the asker made a mistake
  overloaded,    ///< a bounded queue refused
  stopping,      ///< the server is going down
  not_connected,
  refused,
  internal,
};

inline constexpr auto error_category = caf::atom("muster");

/// An error with a sentence for people.
[[nodiscard]] inline caf::error make_error(errc e, std::string text) {
  return {static_cast<std::uint8_t>(e), error_category, caf::make_message(std::move(text))};
}

/// Carries a std::error_code of our categories ("storage", "net") with its text.
[[nodiscard]] inline caf::error make_error(const std::error_code& ec) {
  return {static_cast<std::uint8_t>(ec.value()),
          caf::atom_from_string(std::string{ec.category().name()}),
          caf::make_message(ec.message())};
}

/// Whether the error is this one of storage's.
[[nodiscard]] inline bool is(const caf::error& e, storage::errc code) {
  return e.category() == caf::atom("storage") && e.code() == static_cast<std::uint8_t>(code);
}

/// The sentence inside; CAF's own rendering for CAF's own errors.
[[nodiscard]] inline std::string text_of(const caf::error& e) {
  if (e.context().match_elements<std::string>())
    return e.context().get_as<std::string>(0);
  return caf::to_string(e);
}

} // namespace muster::actors
