#include "apps/server/owner_role.hpp"

#include <muster/assert.hpp>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace muster::server {

std::string name_of_user(uid_t user) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return std::to_string(user);
  return entry.pw_name;
}

owner_role::owner_role(std::filesystem::path directory) : directory_(std::move(directory)) {
  struct stat found {};
  while (::stat(directory_.c_str(), &found) != 0) {
    if (directory_.empty() || directory_ == directory_.parent_path())
      return;
    directory_ = directory_.parent_path();
  }
  user_ = found.st_uid;
  group_ = found.st_gid;
  another_ = ::geteuid() == 0 && user_ != 0;
}

owner_role::~owner_role() {
  if (!assumed_)
    return;
  const bool back = ::seteuid(0) == 0 && ::setegid(0) == 0;
  MUSTER_ASSERT(back, "root by birth may be root again");
}

std::string owner_role::name() const {
  return name_of_user(user_);
}

bool owner_role::assume(std::string& problem) {
  if (!another_ || assumed_)
    return true;
  assumed_ = true;
  if (::setegid(group_) == 0 && ::seteuid(user_) == 0)
    return true;
  problem = directory_.string() + ": belongs to user " + name() + ", whom root cannot be: "
            + std::system_category().message(errno) + "; run this as that user";
  return false;
}

} // namespace muster::server
