#pragma once
// Root on the directory of the user that the server runs as: what root makes there that user could
// not use, and of what others own root believes nothing. So root works there as its owner.

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace muster::server {

/// Or its number, when nobody knows it by name.
[[nodiscard]] std::string name_of_user(uid_t user);

class owner_role {
public:
  /// Looks at the nearest directory that exists; nothing is taken on yet.
  explicit owner_role(std::filesystem::path directory);
  ~owner_role(); ///< root again
  owner_role(const owner_role&) = delete;
  owner_role& operator=(const owner_role&) = delete;

  /// Whether we are root and the directory is not.
  [[nodiscard]] bool is_another() const noexcept { return another_; }
  [[nodiscard]] std::string name() const; ///< of the owner
  /// Is the owner until the end, where that makes a difference; before there are threads. False
  /// with a sentence in `problem`.
  [[nodiscard]] bool assume(std::string& problem);

private:
  std::filesystem::path directory_;
  uid_t user_ = 0;
  gid_t group_ = 0;
  bool another_ = false;
  bool assumed_ = false;
};

} // namespace muster::server
