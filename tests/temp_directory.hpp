#pragma once
// A directory of a test's own, gone with the test.

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace muster::test {

/// Made in the system's folder for temporary files (or another one) under a name nobody else has;
/// removed with everything in it. Declare it before whatever works in it.
class temp_directory {
public:
  explicit temp_directory(
    const std::filesystem::path& inside = std::filesystem::temp_directory_path()) {
    auto name = (inside / "muster_test_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("cannot make a temporary directory like " + name);
    path_ = name;
  }
  ~temp_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temp_directory(const temp_directory&) = delete;
  temp_directory& operator=(const temp_directory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
  std::filesystem::path path_;
};

} // namespace muster::test
