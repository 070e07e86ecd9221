#pragma once
// The connector files of this device: which applications the agent may manage, and how.

#include "actors/rules/connector.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace muster::actors {

/// What the folder says of one application.
struct found_connector {
  enum class verdict : std::uint8_t {
    good,
    broken, ///< `problem` names file, line and mistake
    unsafe  ///< somebody else could have written it: nothing in it is believed
  };
  verdict how = verdict::good;
  rules::connector connector;    ///< when it is good
  std::string problem;
  std::int64_t modified_s = 0;
  std::string file;
};

/// By application. What is unsafe or broken goes by the file's own name.
using found_connectors = std::map<std::string, found_connector, std::less<>>;

/// Reads `*.toml` of a folder, and again only what has changed. A folder that is not there has none.
/// A file counts only if it is regular, no link, and belongs, like the folder itself, to root (or to
/// the user we run as, when that is not root), and nobody else can write either. Bounds: the first
/// limits::connectors_max files by name. Use by one thread.
class connector_folder {
public:
  explicit connector_folder(std::filesystem::path where) : where_(std::move(where)) {}

  /// True when it says something else than before. The first time always.
  bool look();
  [[nodiscard]] const found_connectors& found() const noexcept { return found_; }

private:
  [[nodiscard]] std::vector<std::string> names() const;

  std::filesystem::path where_;
  bool looked_ = false;
  std::string seen_; ///< of each file and the folder: what a change would change
  found_connectors found_;
};

} // namespace muster::actors
