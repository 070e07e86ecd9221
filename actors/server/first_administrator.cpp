// What a server needs before it has actors: somebody who may log in.

#include "actors/server/accounts.hpp"
#include "actors/server/audit.hpp"
#include "net/certificate.hpp"
#include "net/password.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <array>
#include <span>

namespace muster::actors {

bool has_user(const storage::store& db, std::error_code& ec) {
  bool found = false;
  ec = db.scan(storage::family::meta, storage::keys::users(), false, [&](auto, auto) {
    found = true;
    return false;
  });
  return found;
}

std::string problem_of_password(std::string_view password) {
  if (password.size() < password_bytes_min)
    return "a password has at least " + std::to_string(password_bytes_min) + " bytes";
  if (password.size() > password_bytes_max)
    return "a password has at most " + std::to_string(password_bytes_max) + " bytes";
  return {};
}

std::string generate_password() {
  // 32 characters: five bits each. No i, l, o, 0 and 1.
  static constexpr std::string_view letters = "abcdefghjkmnpqrstuvwxyz23456789A";
  static_assert(letters.size() == 32);
  std::array<std::uint8_t, 20> random{};
  net::random_bytes(random);
  std::string out;
  for (std::size_t i = 0; i < random.size(); ++i) {
    if (i > 0 && i % 5 == 0)
      out.push_back('-');
    out.push_back(letters[random[i] % 32]);
  }
  return out;
}

bool make_first_administrator(storage::store& db, std::int64_t now_us, std::string& password,
                              std::error_code& ec) {
  if (has_user(db, ec) || ec)
    return false;
  if (password.empty())
    password = generate_password();
  storage::record::user user;
  user.set_name(std::string{first_administrator});
  user.set_password(net::hash_password(password));
  user.set_role(std::string{administrator_role});
  user.set_created_ms(now_us / 1000);
  user.set_password_changed_ms(now_us / 1000);
  user.set_initial_password(true);
  const std::array<storage::change_batch, 1> batches{storage::change_batch{
    storage::put(storage::family::meta, storage::keys::user(user.name()),
                 storage::records::encode(user)),
    audit_change({"server", "local", "user.create", user.name(), "the first administrator"},
                 now_us)}};
  ec = db.write_sync(batches);
  return !ec;
}

} // namespace muster::actors
