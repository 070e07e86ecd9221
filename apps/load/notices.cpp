#include "apps/load/post_office.hpp"
#include "apps/load/rehearsal.hpp"
#include "apps/load/scenarios.hpp"

#include "net/notice.hpp"

#include <fmt/format.h>

#include <unordered_map>

namespace muster::load {

namespace {

/// As the agent tries: three times within a second.
constexpr std::array<std::chrono::milliseconds, 3> tries = {
  std::chrono::milliseconds{0}, std::chrono::milliseconds{300}, std::chrono::milliseconds{600}};
constexpr std::chrono::seconds patience{2};

class notices_run final : public scenario, rehearsed_troupe {
public:
  notices_run(stage& where, const scenario_options& options, result& into)
    : rehearsed_troupe(where, options.fleet, into),
      server_(options.notices),
      spread_(options.duration),
      post_(where.pool(), options.fleet.player.source_address,
            [this](std::string_view bytes) { on_datagram(bytes); }) {
    into.latency_of = "notice to acknowledgement";
  }

  void begin() override { troupe::begin(); }

  void end() override {
    into().tell("notices", static_cast<double>(sent_.size()));
    into().tell("acknowledged", static_cast<double>(answered_));
    into().tell("answered_percent", sent_.empty() ? 0 : 100.0 * static_cast<double>(answered_) /
                                                          static_cast<double>(sent_.size()), "%");
    into().tell("datagrams", static_cast<double>(datagrams_));
  }

  [[nodiscard]] std::string progress() const override {
    return fmt::format("{} of {} notices acknowledged", answered_, sent_.size());
  }

private:
  struct one_notice {
    net::notice what;
    net::datagram_key key;
    steady::time_point due;
    bool answered = false;
  };

  /// Everybody goes, spread over `duration`.
  void curtain_up() override {
    const auto began = steady::now();
    const auto count = static_cast<std::int64_t>(players().size());
    for (std::int64_t i = 0; i < count; ++i) {
      auto& who = *players()[static_cast<std::size_t>(i)];
      if (!who.datagram_keys()) {
        into().failed("the server gave no datagram keys");
        continue;
      }
      const auto due = began + spread_ * i / count;
      const auto device = who.device();
      sent_[net::to_hex(device)] = {who.next_notice(), who.datagram_keys()->notice, due, false};
      for (const auto at : tries)
        where().at(due + at, [this, id = net::to_hex(device)] { send(sent_.at(id)); });
    }
    where().at(began + spread_ + patience, [this] { where().finish(); });
  }

  void send(one_notice& one) {
    if (one.answered)
      return;
    ++datagrams_;
    post_.send(server_, net::make_notice(one.what, one.key));
  }

  void on_datagram(std::string_view bytes) {
    constexpr std::size_t device_at = 9;
    if (bytes.size() != net::acknowledgement_bytes)
      return;
    const auto found = sent_.find(net::to_hex(
      {reinterpret_cast<const std::uint8_t*>(bytes.data()) + device_at, net::id_bytes{}.size()}));
    if (found == sent_.end() ||
        !net::check_acknowledgement(bytes, found->second.what, found->second.key))
      return into().failed("an answer that acknowledges nothing");
    auto& one = found->second;
    if (std::exchange(one.answered, true))
      return; // of a retry
    ++answered_;
    into().done(std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - one.due));
    if (answered_ == sent_.size())
      where().finish();
  }

  void on_stage(player&, const player_news&) override {}

  net::udp_endpoint server_;
  std::chrono::milliseconds spread_;
  post_office post_;
  std::unordered_map<std::string, one_notice> sent_;
  std::size_t answered_ = 0;
  std::uint64_t datagrams_ = 0;
};

} // namespace

std::unique_ptr<scenario> notices_scenario(stage& where, const scenario_options& options,
                                           result& into) {
  return std::make_unique<notices_run>(where, options, into);
}

} // namespace muster::load
