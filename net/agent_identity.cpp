#include "net/agent_identity.hpp"

#include "net/datagram_key_file.hpp"
#include "net/private_file.hpp"
#include "net/tcp_connector.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

namespace muster::net {

namespace {

namespace fs = std::filesystem;

constexpr const char* key_file = "device.key";
constexpr const char* enrolment_file = "enrolment";
constexpr std::string_view first_line = "muster enrolment 1";
constexpr std::string_view pem_end = "-----\n";
constexpr std::size_t bundle_max = 8;
constexpr std::uint16_t any_port = 13000;

constexpr std::string_view enrol_again =
  "; restore it from a backup, or remove both device.key and enrolment and enrol again (the server "
  "then sees a new device)";

bool wrong(std::string& problem, const fs::path& file, std::string_view what) {
  problem = file.string();
  problem.append(": ").append(what).append(enrol_again);
  return false;
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string line(std::string_view name, std::string_view value) {
  return std::string(name).append(" ").append(value).append("\n");
}

enum class key_place : std::uint8_t { beside, inside };

/// A line per value, in this order, and a check over all lines.
std::string text_of(const agent_identity& identity, key_place where) {
  std::string out(first_line);
  out += '\n' + line("server", identity.server);
  if (!identity.moved_from.empty())
    out += line("moved_from", identity.moved_from);
  if (where == key_place::inside)
    out += line("key", to_hex(bytes_of(identity.key.private_pem())));
  out += line("server_id", to_hex(identity.server_id)) +
         line("wake_key", to_hex(identity.wake_public_key)) +
         line("certificate", to_hex(bytes_of(identity.leaf.der())));
  for (const auto& authority : identity.bundle)
    out += line("authority", to_hex(bytes_of(authority.der())));
  return out += line("check", to_hex(sha256(out)));
}

/// Takes the next line if it has this name; false, and nothing is taken, when not.
bool take_line(std::string_view& text, std::string_view name, std::string_view& value) {
  const auto whole = text.substr(0, text.find('\n'));
  if (!whole.starts_with(name) || whole.substr(name.size(), 1) != " ")
    return false;
  value = whole.substr(name.size() + 1);
  text.remove_prefix(std::min(whole.size() + 1, text.size()));
  return true;
}

bool take_bytes(std::string_view& text, std::string_view name, std::span<std::uint8_t> out) {
  std::string_view hex;
  if (!take_line(text, name, hex))
    return false;
  const auto value = from_hex(hex);
  if (!value || value->size() != out.size())
    return false;
  std::copy(value->begin(), value->end(), out.begin());
  return true;
}

std::optional<certificate> take_certificate(std::string_view& text, std::string_view name) {
  std::string_view hex;
  if (!take_line(text, name, hex))
    return std::nullopt;
  const auto der = from_hex(hex);
  std::error_code ec;
  return der ? certificate::from_der(*der, ec) : std::nullopt;
}

/// Empty with `whole` when the text has none.
std::optional<key_pair> take_key(std::string_view& text, bool& whole) {
  std::string_view hex;
  whole = true;
  if (!take_line(text, "key", hex))
    return std::nullopt;
  const auto pem = from_hex(hex);
  std::error_code ec;
  auto out = pem ? key_pair::from_pem({reinterpret_cast<const char*>(pem->data()), pem->size()}, ec)
                 : std::nullopt;
  whole = out.has_value();
  return out;
}

/// Takes the lines before the values that every identity has. False: not as we would write them.
bool take_head(std::string_view& text, std::string_view& server, std::string_view& moved_from,
               std::optional<key_pair>& key) {
  text.remove_prefix(std::min(first_line.size() + 1, text.size()));
  bool whole = take_line(text, "server", server);
  take_line(text, "moved_from", moved_from);
  if (whole)
    key = take_key(text, whole);
  return whole;
}

/// `beside` is what device.key has, for an identity that has no key inside.
std::optional<agent_identity> parse(std::string_view text, const std::optional<key_pair>& beside) {
  auto rest = text;
  std::string_view server;
  std::string_view moved_from;
  std::optional<key_pair> inside;
  const bool good = take_head(rest, server, moved_from, inside);
  if (!good || (!inside && !beside))
    return std::nullopt;
  agent_identity out{.key = inside ? *inside : *beside, .leaf = {}, .bundle = {}, .server = {}};
  out.moved_from = moved_from;
  if ( !take_bytes(rest, "server_id", out.server_id) ||
      !take_bytes(rest, "wake_key", out.wake_public_key))
    return std::nullopt;
  out.server = server;
  auto leaf = take_certificate(rest, "certificate");
  if (!leaf)
    return std::nullopt;
  out.leaf = *std::move(leaf);
  out.device_id = out.leaf.holder_id();
  while (out.bundle.size() < bundle_max) {
    auto authority = take_certificate(rest, "authority");
    if (!authority)
      break;
    out.bundle.push_back(*std::move(authority));
  }
  // Only what we would write ourselves: names, order, check and end are right as well.
  if (text_of(out, inside ? key_place::inside : key_place::beside) != text)
    return std::nullopt;
  return out;
}

/// Null when all of it belongs together.
const char* inconsistency(const agent_identity& identity) {
  if (identity.leaf.empty() || identity.leaf.holder_role() != role::device ||
      identity.leaf.holder_id() != identity.device_id)
    return "has no certificate of this device";
  if (identity.leaf.spki_sha256() != identity.key.spki_sha256())
    return "does not belong to device.key beside it";
  if (identity.bundle.size() > bundle_max ||
      std::none_of(identity.bundle.begin(), identity.bundle.end(),
                   [&](const auto& authority) { return identity.leaf.issued_by(authority); }))
    return "does not have the authority that issued its certificate";
  if (!parse_endpoint(identity.server, any_port))
    return "names no server";
  if (!identity.moved_from.empty() && !parse_endpoint(identity.moved_from, any_port))
    return "names no server to have moved from";
  return nullptr;
}

/// Empty with an empty `problem` when there is none.
std::optional<key_pair> read_key(const fs::path& directory, std::string& problem) {
  const auto file = directory / key_file;
  const auto text = read_private_file(file, problem);
  if (!text)
    return std::nullopt;
  std::error_code ec;
  auto key = key_pair::from_pem(*text, ec);
  if (!key || !text->ends_with(pem_end)) {
    wrong(problem, file, "is damaged");
    return std::nullopt;
  }
  return key;
}

} // namespace

std::optional<key_pair> load_or_make_agent_key(const fs::path& directory, std::string& problem) {
  problem.clear();
  if (!prepare_private_directory(directory, problem))
    return std::nullopt;
  auto key = read_key(directory, problem);
  if (key || !problem.empty())
    return key;
  auto made = key_pair::generate();
  if (!write_private_file(directory / key_file, made.private_pem(), problem))
    return std::nullopt;
  return made;
}

bool save_agent_identity(const fs::path& directory, const agent_identity& identity,
                         std::string& problem) {
  problem.clear();
  const auto file = directory / enrolment_file;
  if (const char* why = inconsistency(identity)) {
    problem = file.string() + ": is not written, because it " + why;
    return false;
  }
  return prepare_private_directory(directory, problem) &&
         forget_datagram_keys(directory, problem) &&
         write_private_file(file, text_of(identity, key_place::beside), problem);
}

bool replace_agent_identity(const fs::path& directory, const agent_identity& identity,
                            std::string& problem) {
  const auto former = load_agent_identity(directory, problem);
  const auto file = directory / enrolment_file;
  if (const char* why = inconsistency(identity)) {
    problem = file.string() + ": is not written, because it " + why;
    return false;
  }
  if (!prepare_private_directory(directory, problem) ||
      !write_private_file(file, text_of(identity, key_place::inside), problem))
    return false;
  // From here on it is the new one; what is left of the other is of no use and does no harm.
  std::error_code ignored;
  fs::remove(directory / key_file, ignored);
  std::string trouble;
  if (!former || former->device_id != identity.device_id || former->server_id != identity.server_id)
    static_cast<void>(forget_datagram_keys(directory, trouble));
  return true;
}

std::optional<agent_identity> load_agent_identity(const fs::path& directory, std::string& problem) {
  problem.clear();
  std::error_code ec;
  if (fs::status(directory, ec).type() == fs::file_type::not_found)
    return std::nullopt;
  if (!prepare_private_directory(directory, problem))
    return std::nullopt;
  const auto file = directory / enrolment_file;
  const auto text = read_private_file(file, problem);
  if (!text)
    return std::nullopt;
  auto out = parse(*text, std::nullopt); // with its key inside?
  const bool has_key = text->find("\nkey ") != std::string::npos;
  if (!out && !has_key) {
    const auto key = read_key(directory, problem);
    if (!key) {
      if (problem.empty())
        wrong(problem, directory / key_file, "is missing");
      return std::nullopt;
    }
    out = parse(*text, *key);
  }
  const char* why = out ? inconsistency(*out) : "is damaged";
  if (why != nullptr) {
    wrong(problem, file, why);
    return std::nullopt;
  }
  return out;
}

} // namespace muster::net
