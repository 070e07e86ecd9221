#include "net/identity_files.hpp"

#include "net/accept_gate.hpp"
#include "net/private_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace muster::net::identity_files {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view first_line = "muster secrets 1";
constexpr std::string_view pem_end = "-----\n";

bool wrong(std::string& problem, const fs::path& directory, const char* name,
           std::string_view what) {
  problem = (directory / name).string();
  problem.append(": ").append(what).append(
    "; restore it from a backup, or the directory by `muster-server identity import`");
  return false;
}

// -- secrets: a line per value, and a check over all lines ------------------------------------

struct secret_values {
  id_bytes server_id{};
  std::array<std::uint8_t, 32> wake_seed{};
  std::array<std::uint8_t, 32> datagram_secret{};
  std::array<std::uint8_t, 32> settings_key{};
  sha256_digest authority_pin{}; ///< of which identity this file is
};

std::string line(std::string_view name, std::span<const std::uint8_t> value) {
  return std::string(name) + ' ' + to_hex(value) + '\n';
}

std::string text_of(const secret_values& values) {
  std::string out(first_line);
  out += '\n' + line("server_id", values.server_id) + line("wake_seed", values.wake_seed) +
         line("datagram_secret", values.datagram_secret) +
         line("settings_key", values.settings_key) + line("authority", values.authority_pin);
  return out += line("check", sha256(out));
}

/// Takes the value of the next line, whatever its name.
bool take_value(std::string_view& text, std::span<std::uint8_t> out) {
  const auto whole = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(whole.size() + 1, text.size()));
  const auto space = whole.find(' ');
  if (space == std::string_view::npos)
    return false;
  const auto value = from_hex(whole.substr(space + 1));
  if (!value || value->size() != out.size())
    return false;
  std::copy(value->begin(), value->end(), out.begin());
  return true;
}

std::optional<secret_values> parse_secrets(std::string_view text) {
  secret_values out;
  auto rest = text;
  rest.remove_prefix(std::min(first_line.size() + 1, rest.size()));
  const bool read = take_value(rest, out.server_id) && take_value(rest, out.wake_seed) &&
                    take_value(rest, out.datagram_secret) && take_value(rest, out.settings_key) &&
                    take_value(rest, out.authority_pin);
  // Only what we would write ourselves: names, order, check and end are right as well.
  if (!read || text_of(out) != text)
    return std::nullopt;
  return out;
}

// -- placing ----------------------------------------------------------------------------------

/// Without a slash at its end, which would make `DIRECTORY.new` a name inside it.
fs::path plain(const fs::path& directory) {
  auto out = directory.lexically_normal();
  return out.has_filename() ? out : out.parent_path();
}

fs::path parent_of(const fs::path& path) {
  auto parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

placing failed(std::string& problem, const fs::path& path, std::string_view what, int error) {
  problem = path.string();
  problem.append(": ").append(what).append(": ").append(std::system_category().message(error));
  return placing::failed;
}

bool write_all(const fs::path& directory, const directory_contents& files, std::string& problem) {
  return std::all_of(files.begin(), files.end(), [&](const auto& file) {
    return write_private_file(directory / file.first, file.second, problem);
  });
}

placing move_into_place(const fs::path& fresh, const fs::path& directory, std::string& problem) {
  if (::rename(fresh.c_str(), directory.c_str()) == 0)
    return sync_directory(parent_of(directory), problem) ? placing::placed : placing::failed;
  const int error = errno;
  if (error == EEXIST || error == ENOTEMPTY)
    return placing::occupied;
  failed(problem, directory, "cannot be made", error);
  if (error == EBUSY)
    problem += "; name a directory inside it, not a mount point";
  return placing::failed;
}

} // namespace

directory_contents make_core(std::int64_t now_s) {
  secret_values values;
  random_bytes(values.server_id);
  random_bytes(values.wake_seed);
  random_bytes(values.datagram_secret);
  random_bytes(values.settings_key);
  const auto made = certificate_authority::make(values.server_id, now_s);
  values.authority_pin = made.self().spki_sha256();
  return {{authority_key, made.key().private_pem()},
          {authority, made.self().pem()},
          {secrets, text_of(values)}};
}

std::optional<directory_contents> read_core(const fs::path& directory, std::string& problem) {
  directory_contents out;
  for (const auto* name : core_files) {
    auto content = read_private_file(directory / name, problem);
    if (!content) {
      if (problem.empty())
        wrong(problem, directory, name, "is missing");
      return std::nullopt;
    }
    out.emplace(name, *std::move(content));
  }
  for (const auto* name : more_files) {
    auto content = read_private_file(directory / name, problem);
    if (!content && !problem.empty())
      return std::nullopt;
    if (content)
      out.emplace(name, *std::move(content));
  }
  return out;
}

std::optional<core> judge_core(const directory_contents& files, const fs::path& directory,
                               std::string& problem) {
  problem.clear();
  const auto bad = [&](const char* name, std::string_view what) -> std::optional<core> {
    wrong(problem, directory, name, what);
    return std::nullopt;
  };
  for (const auto* name : core_files)
    if (!files.contains(name))
      return bad(name, "is missing");
  std::error_code ec;
  auto key = key_pair::from_pem(files.at(authority_key), ec);
  if (!key || !files.at(authority_key).ends_with(pem_end))
    return bad(authority_key, "is damaged");
  auto self = certificate::from_pem(files.at(authority), ec);
  if (!self || !files.at(authority).ends_with(pem_end))
    return bad(authority, "is damaged");
  if (self->holder_role() != role::authority || self->spki_sha256() != key->spki_sha256())
    return bad(authority, "does not belong to authority.key beside it");
  const auto values = parse_secrets(files.at(secrets));
  if (!values)
    return bad(secrets, "is damaged");
  if (values->authority_pin != self->spki_sha256())
    return bad(secrets, "does not belong to authority.pem beside it");
  return core{.server_id = values->server_id,
              .authority = {*std::move(key), *std::move(self)},
              .wake_seed = values->wake_seed,
              .datagram_secret = values->datagram_secret,
              .settings_key = values->settings_key};
}

std::optional<bool> is_vacant(const fs::path& directory, std::string& problem) {
  std::error_code ec;
  const auto found = fs::status(directory, ec);
  if (found.type() == fs::file_type::not_found)
    return true;
  if (!ec && found.type() != fs::file_type::directory) {
    problem = directory.string() + ": is not a directory";
    return std::nullopt;
  }
  const bool vacant = !ec && fs::is_empty(directory, ec);
  if (ec) {
    problem = directory.string() + ": cannot be read: " + ec.message();
    return std::nullopt;
  }
  return vacant;
}

placing place(const fs::path& directory, const directory_contents& files, std::string& problem) {
  const auto target = plain(directory);
  const auto parent = parent_of(target);
  auto fresh = target;
  fresh += ".new";
  std::error_code ec;
  fs::create_directories(parent, ec);
  if (ec)
    return failed(problem, parent, "cannot be made", ec.value());
  // One at a time: two first starts must not share a directory in the making.
  const owned_descriptor lock(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock || ::flock(lock.get(), LOCK_EX) != 0)
    return failed(problem, parent, "cannot be locked", errno);
  const auto vacant = is_vacant(target, problem);
  if (!vacant || !*vacant)
    return vacant ? placing::occupied : placing::failed;
  // Left behind by a crash. Nobody has ever been told of what is in it.
  fs::remove_all(fresh, ec);
  if (ec)
    return failed(problem, fresh, "cannot be removed", ec.value());
  auto result = placing::failed;
  if (prepare_private_directory(fresh, problem) && write_all(fresh, files, problem))
    result = move_into_place(fresh, target, problem);
  if (result != placing::placed)
    fs::remove_all(fresh, ec);
  return result;
}

} // namespace muster::net::identity_files
