#include "apps/server/first_start.hpp"

#include "actors/server/accounts.hpp"
#include "actors/server/enroller.hpp"
#include "net/private_file.hpp"

#include <system_error>

namespace muster::server {

bool prepare_first_start(storage::store& db, const std::filesystem::path& directory,
                         std::int64_t now_us, std::string& problem) {
  std::error_code ec;
  if (actors::has_user(db, ec))
    return true;
  std::string token;
  auto password = actors::generate_password();
  if (!ec)
    actors::make_first_token(db, now_us, token, ec);
  if (!ec) {
    if (!net::write_private_file(directory / first_token_file, token + "\n", problem)
        || !net::write_private_file(directory / first_password_file, password + "\n", problem))
      return false;
    // The user comes last: what was begun and not finished begins anew at the next start.
    actors::make_first_administrator(db, now_us, password, ec);
  }
  if (ec)
    problem = "the store in " + directory.string() + " cannot be used: " + ec.message();
  return !ec;
}

} // namespace muster::server
