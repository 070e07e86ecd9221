#include "net/datagram_secret_file.hpp"

#include "net/accept_gate.hpp"
#include "net/identity_files.hpp"
#include "net/private_file.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <limits>
#include <system_error>

namespace muster::net {

namespace {

namespace fs = std::filesystem;
namespace files = identity_files;

constexpr std::string_view first_line = "muster datagram secrets 1\n";

/// False, and nothing is taken, when it is not there.
bool take(std::string_view& rest, std::string_view what) {
  if (!rest.starts_with(what))
    return false;
  rest.remove_prefix(what.size());
  return true;
}

std::optional<datagram_secret> take_secret(std::string_view& rest) {
  datagram_secret out;
  if (!take(rest, "generation "))
    return std::nullopt;
  const auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), out.generation);
  if (ec != std::errc{} || out.generation == 0)
    return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  if (!take(rest, " secret "))
    return std::nullopt;
  const auto value = from_hex(rest.substr(0, 2 * out.value.size()));
  if (!value || value->size() != out.value.size())
    return std::nullopt;
  std::copy(value->begin(), value->end(), out.value.begin());
  rest.remove_prefix(2 * out.value.size());
  return take(rest, "\n") ? std::optional{out} : std::nullopt;
}

} // namespace

std::string datagram_secrets_text(const datagram_secrets& secrets) {
  std::string out{first_line};
  const auto add = [&out](const datagram_secret& one) {
    out += "generation " + std::to_string(one.generation) + " secret " + to_hex(one.value) + '\n';
  };
  add(secrets.newest);
  if (secrets.previous)
    add(*secrets.previous);
  return out += "check " + to_hex(sha256(out)) + '\n';
}

std::optional<datagram_secrets> parse_datagram_secrets(std::string_view text) {
  auto rest = text;
  datagram_secrets out;
  const auto newest = take(rest, first_line) ? take_secret(rest) : std::nullopt;
  if (!newest)
    return std::nullopt;
  out.newest = *newest;
  out.previous = take_secret(rest);
  // Only what we would write ourselves: the check and the end are right as well.
  if ((out.previous && out.previous->generation >= out.newest.generation) ||
      datagram_secrets_text(out) != text)
    return std::nullopt;
  return out;
}

datagram_secrets rotated(const datagram_secrets& now, std::int64_t now_s) {
  constexpr std::int64_t last = std::numeric_limits<std::uint32_t>::max();
  datagram_secrets out{{}, now.newest};
  const auto next = std::max(std::int64_t{now.newest.generation} + 1, std::min(now_s, last));
  out.newest.generation = static_cast<std::uint32_t>(next);
  random_bytes(out.newest.value);
  return out;
}

std::optional<datagram_secrets> load_datagram_secrets(const fs::path& directory,
                                                      const std::array<std::uint8_t, 32>& first,
                                                      std::string& problem) {
  const auto file = directory / files::datagrams;
  const auto text = read_private_file(file, problem);
  if (!text) {
    if (!problem.empty())
      return std::nullopt;
    return datagram_secrets{{1, first}, {}};
  }
  auto out = parse_datagram_secrets(*text);
  if (!out)
    problem = file.string() +
              ": is damaged; restore it from a backup, or remove it: then no device can be "
              "called, and no notice is believed, until the device's next connection";
  return out;
}

std::optional<datagram_secrets> rotate_datagram_secrets(const fs::path& directory,
                                                        std::int64_t now_s, std::string& problem) {
  problem.clear();
  const owned_descriptor lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock || ::flock(lock.get(), LOCK_EX) != 0) {
    problem = directory.string() + ": cannot be locked: " + std::system_category().message(errno);
    return std::nullopt;
  }
  const auto contents = files::read_core(directory, problem);
  const auto core = contents ? files::judge_core(*contents, directory, problem) : std::nullopt;
  const auto now =
    core ? load_datagram_secrets(directory, core->datagram_secret, problem) : std::nullopt;
  if (!now)
    return std::nullopt;
  if (now->newest.generation == std::numeric_limits<std::uint32_t>::max()) {
    problem =
      (directory / files::datagrams).string() + ": there is no greater number for a generation";
    return std::nullopt;
  }
  auto out = rotated(*now, now_s);
  if (!write_private_file(directory / files::datagrams, datagram_secrets_text(out), problem))
    return std::nullopt;
  return out;
}

} // namespace muster::net
