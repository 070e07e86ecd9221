#include "apps/console/fleet_files.hpp"

#include "apps/console/failure.hpp"
#include "net/limits.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace muster::console {

namespace {

namespace fs = std::filesystem;

/// More than can be sent; reading stops there.
constexpr std::size_t bytes_max = net::limits::http_body_bytes_max;

std::string read_at_most(const std::string& file, std::size_t bytes) {
  std::ifstream in(file == "-" ? "/dev/stdin" : file, std::ios::binary);
  if (!in.is_open())
    throw failure(exit_usage, file + ": cannot be read");
  std::string text(bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad())
    throw failure(exit_usage, file + ": cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

bool is_yaml(const fs::path& file) {
  return file.extension() == ".yaml" || file.extension() == ".yml";
}

bool is_hidden(const fs::path& file) {
  return file.filename().string().starts_with('.');
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> out;
  std::error_code ec;
  for (fs::recursive_directory_iterator at{folder, ec}, end; !ec && at != end; at.increment(ec)) {
    if (is_hidden(at->path())) {
      at.disable_recursion_pending();
      continue;
    }
    std::error_code ignored;
    if (is_yaml(at->path()) && at->is_regular_file(ignored))
      out.push_back(at->path().string());
  }
  if (ec)
    throw failure(exit_usage, folder + ": " + ec.message());
  if (out.empty())
    throw failure(exit_usage, folder + ": there are no .yaml files in it");
  std::sort(out.begin(), out.end());
  return out;
}

} // namespace

std::vector<named_text> read_fleet_files(const std::vector<std::string>& given) {
  std::vector<std::string> files;
  for (const auto& one : given) {
    std::error_code ignored;
    if (one != "-" && fs::is_directory(one, ignored))
      for (auto& file : files_in(one))
        files.push_back(std::move(file));
    else
      files.push_back(one);
  }
  std::vector<named_text> out;
  std::size_t left = bytes_max;
  for (auto& file : files) {
    auto text = read_at_most(file, left);
    if (text.size() > left)
      throw failure(exit_usage, "the files are more than the server takes at once (1 MB together); "
                                "apply them in parts, without --prune");
    left -= text.size();
    out.push_back({file == "-" ? "stdin" : std::move(file), std::move(text)});
  }
  return out;
}

} // namespace muster::console
