#include "apps/server/datagram_rotation.hpp"

#include "net/datagram_secret_file.hpp"
#include "net/server_identity.hpp"

namespace muster::server {

std::optional<std::string> refusal_of_rotation(const net::datagram_secrets& now, std::int64_t now_s,
                                               bool force) {
  if (force || !now.previous)
    return std::nullopt;
  const auto age = std::chrono::seconds{now_s - std::int64_t{now.newest.generation}};
  if (age >= rotation_rest)
    return std::nullopt;
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(age).count();
  const auto when = age.count() < 0
                      ? std::string{"at a time that is yet to come; is the clock right?"}
                      : std::to_string(hours) + " hours ago";
  return "the last rotation was " + when +
         "; devices that have not connected since could not be called any more, nor their notices "
         "believed, "
         "until they connect by themselves. Wait until it is 7 days old, or give --force";
}

std::optional<net::datagram_secrets> rotate_datagram_keys(const std::filesystem::path& identity,
                                                          std::int64_t now_s, bool force,
                                                          std::string& problem) {
  const auto seen = net::look_at_server_identity(identity, problem);
  if (!seen) {
    if (problem.empty())
      problem =
        identity.string() + ": there is no identity; the server makes one at its first start";
    return std::nullopt;
  }
  if (auto refusal = refusal_of_rotation(seen->datagram, now_s, force)) {
    problem = *std::move(refusal);
    return std::nullopt;
  }
  return net::rotate_datagram_secrets(identity, now_s, problem);
}

} // namespace muster::server
