#pragma once
// A daemon's settings file on the disk: looked at, and replaced in one step.

#include "actors/agent/settings_plan.hpp"
#include "actors/rules/connector.hpp"

#include <cstddef>
#include <string>
#include <system_error>
#include <utility>

namespace muster::actors {

/// An open file, closed with this.
class descriptor {
public:
  explicit descriptor(int number) noexcept : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor();
  [[nodiscard]] int number() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }

private:
  int number_;
};

/// From where it stands to its end; too_large (std::errc::file_too_large) above the bound.
[[nodiscard]] std::error_code read_whole(int file, std::size_t bytes_max, std::string& out);

/// What would change if somebody wrote the file: cheap, for every tick.
[[nodiscard]] std::string mark_of(const std::string& path);

/// The connector's file as it is.
[[nodiscard]] file_look look_at_file(const rules::connector& how);

/// Puts `content` in its place: a new file in the same folder, on the disk, with the connector's
/// owner, group and mode, then renamed. Whoever reads sees the old or the new one, also after a power
/// failure. An agent that is not root writes as itself. Empty, or a sentence on what failed.
[[nodiscard]] std::string write_file(const rules::connector& how, const std::string& content);

/// Takes it away; what is not there is gone already.
[[nodiscard]] std::string remove_file(const rules::connector& how);

} // namespace muster::actors
