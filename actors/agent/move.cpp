#include "actors/agent/move.hpp"

#include "actors/agent/dialer.hpp"
#include "net/agent_identity.hpp"

#include <spdlog/fmt/fmt.h>

#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace muster::actors {

namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t default_port = 13000;
constexpr const char* nothing_changed = "; nothing was changed";

move_outcome failed(std::string sentence) {
  return {false, false, std::move(sentence) + nothing_changed};
}

/// Whether our server is there: a handshake as this device.
dial_result look_for_our_server(const net::agent_identity& identity, const net::endpoint_name& to,
                                const enrolment_options& options) {
  return dial_once({.identity = identity,
                    .server = to,
                    .from_address = options.from_address,
                    .now_s = options.now_s});
}

bool is_another_server(const std::error_code& ec) {
  using net::errc;
  for (const auto code : {errc::pin_mismatch, errc::certificate_foreign, errc::certificate_wrong_name,
                          errc::peer_refused_us})
    if (ec == net::make_error_code(code))
      return true;
  return false;
}

/// One move, from the identity that is there to the one that takes its place.
class move {
public:
  explicit move(const move_options& options) : options_(options) {}
  move_outcome run();

private:
  move_outcome follow();
  move_outcome enrol_beside();
  void clear_side() const;
  [[nodiscard]] std::string put_in_place(net::agent_identity fresh) const;

  const move_options& options_;
  net::endpoint_name to_;
  std::string called_; ///< as HOST:PORT
  std::optional<net::agent_identity> present_;
};

move_outcome move::run() {
  const auto& target = options_.target;
  const auto parsed = net::parse_endpoint(target.server, default_port);
  if (!parsed)
    return failed(fmt::format("'{}' is no server: give HOST or HOST:PORT", target.server));
  to_ = *parsed;
  called_ = place_text(to_);
  std::string problem;
  present_ = net::load_agent_identity(target.identity_directory, problem);
  if (!present_)
    return failed(problem.empty() ? "this machine has not enrolled, so there is nothing to move: "
                                    "`muster-agent enrol` makes it a device"
                                  : std::move(problem));
  const bool same_pin = !target.pin || *target.pin == present_->bundle.front().spki_sha256();
  return same_pin ? follow() : enrol_beside();
}

/// The server this device belongs to, as far as anybody said: only its address is new.
move_outcome move::follow() {
  const auto there = look_for_our_server(*present_, to_, options_.target);
  if (is_another_server(there.ec))
    return failed(fmt::format("what answers at {} is another server than the one this device belongs to "
                              "({}): to go there give --pin and --token as `muster token create` there "
                              "prints them",
                              called_, there.ec.message()));
  if (there.ec)
    return failed(there.detail + ": check that the server runs, its address and port, and what "
                                 "firewalls are between");
  auto fresh = *present_;
  fresh.server = called_;
  if (auto problem = put_in_place(std::move(fresh)); !problem.empty())
    return failed(std::move(problem));
  return {true, true,
          fmt::format("device {} now goes to {}, which is the same server as before",
                      rules::device_id{present_->device_id}.text(), called_)};
}

move_outcome move::enrol_beside() {
  auto options = options_.target;
  options.identity_directory = side_directory(options.identity_directory);
  options.trust_on_first_use = false;
  clear_side();
  const auto outcome = enrol(options);
  if (!outcome.ok)
    return failed(outcome.sentence);
  std::string problem;
  auto fresh = net::load_agent_identity(options.identity_directory, problem);
  if (!fresh)
    return failed(problem.empty() ? "the new enrolment has vanished" : std::move(problem));
  fresh->server = called_;
  if (problem = put_in_place(std::move(*fresh)); !problem.empty())
    return failed(std::move(problem));
  std::error_code ignored; // what is left of it is found, and cleared, by the next move
  fs::remove_all(options.identity_directory, ignored);
  return {true, false,
          fmt::format("moved to {} as device {}; {} still lists device {}, which may be removed there",
                      called_, outcome.device.text(), present_->server,
                      rules::device_id{present_->device_id}.text())};
}

/// Of an earlier attempt only what serves this one is kept: a key without an enrolment, or an
/// enrolment to the same server that has not taken its place yet.
void move::clear_side() const {
  const auto side = side_directory(options_.target.identity_directory);
  std::string problem;
  const auto left = net::load_agent_identity(side, problem);
  const bool serves = left ? left->device_id != present_->device_id
                               && left->bundle.front().spki_sha256() == *options_.target.pin
                           : problem.empty();
  std::error_code ignored; // then the enrolment says what is wrong there
  if (!serves)
    fs::remove_all(side, ignored);
}

std::string move::put_in_place(net::agent_identity fresh) const {
  const auto& setting = options_.server_setting;
  const auto set = net::parse_endpoint(setting, default_port);
  fresh.moved_from = set && place_text(*set) != called_ ? setting : std::string{};
  std::string problem;
  if (!net::replace_agent_identity(options_.target.identity_directory, fresh, problem))
    return problem;
  return {};
}

} // namespace

fs::path side_directory(const fs::path& identity_directory) {
  auto out = identity_directory;
  out += ".next";
  return out;
}

move_outcome move_device(const move_options& options) {
  return move(options).run();
}

} // namespace muster::actors
