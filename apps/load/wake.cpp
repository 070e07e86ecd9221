#include "apps/load/console_call.hpp"
#include "apps/load/post_office.hpp"
#include "apps/load/rehearsal.hpp"
#include "apps/load/scenarios.hpp"

#include "net/wake.hpp"

#include <fmt/format.h>

#include <unordered_map>

namespace muster::load {

namespace {

/// The server's last try is 7 s after its first.
constexpr std::chrono::seconds patience{15};

class wake_run final : public scenario, rehearsed_troupe {
public:
  /// `inbox` is what `post` tells its datagrams to.
  wake_run(stage& where, const scenario_options& options, result& into,
           std::unique_ptr<post_office> post, post_office::on_datagram& inbox)
    : rehearsed_troupe(where, options.fleet, into), post_(std::move(post)) {
    into.latency_of = "call to end of sync";
    inbox = [this](std::string_view bytes) { on_datagram(bytes); };
  }

  void begin() override { troupe::begin(); }

  void end() override {
    into().tell("called", static_cast<double>(players().size()));
    into().tell("reached", static_cast<double>(reached_));
    into().tell("synced", static_cast<double>(synced_));
    into().tell("missing", static_cast<double>(players().size() - synced_));
    into().tell("all_synced_ms", static_cast<double>(all_.count()), "ms");
    into().tell("datagrams", static_cast<double>(datagrams_));
  }

  [[nodiscard]] std::string progress() const override {
    return fmt::format("reached {}, synced {} of {}", reached_, synced_, players().size());
  }

private:
  void curtain_up() override {
    for (const auto& one : players())
      by_device_[net::to_hex(one->device())] = one.get();
    began_ = steady::now();
    call_.post("/calls", R"({"kind":"wake","target":"load-*"})", [this](const std::string& problem) {
      if (problem.empty())
        return;
      net::run_on(where().pool().lane(0), [this, problem] {
        into().failed("the call: " + problem);
        where().finish();
      });
    });
    after_call();
  }

  void after_call() {
    const auto pace = std::chrono::milliseconds{3 * players().size()}; // 500 a second and some
    where().at(began_ + pace + patience, [this] { where().finish(); });
  }

  void on_datagram(std::string_view bytes) {
    constexpr std::size_t device_at = 25;
    ++datagrams_;
    if (bytes.size() != net::wake_bytes)
      return;
    const auto found = by_device_.find(net::to_hex(
      {reinterpret_cast<const std::uint8_t*>(bytes.data()) + device_at, net::id_bytes{}.size()}));
    if (found == by_device_.end() || !found->second->take_wake(bytes))
      return;
    ++reached_;
    found->second->connect(false);
  }

  void on_stage(player& who, const player_news& what) override {
    switch (what.what) {
    case news::synced:
      ++synced_;
      into().done(std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - began_));
      return who.leave();
    case news::failed:
      return into().failed(std::string{what.text});
    case news::sent_away:
      return after(what.amount, [&who] { who.connect(false); });
    case news::closed:
      if (synced_ < players().size())
        return;
      all_ = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - began_);
      return where().finish();
    default:
      return;
    }
  }

  std::unique_ptr<post_office> post_;
  console_call call_;
  std::unordered_map<std::string, player*> by_device_;
  steady::time_point began_;
  std::chrono::milliseconds all_{0};
  std::size_t reached_ = 0;
  std::size_t synced_ = 0;
  std::uint64_t datagrams_ = 0;
};

} // namespace

std::unique_ptr<scenario> wake_scenario(stage& where, const scenario_options& options,
                                        result& into) {
  const auto inbox = std::make_shared<post_office::on_datagram>();
  auto post = std::make_unique<post_office>(
    where.pool(), options.fleet.player.source_address, [inbox](std::string_view bytes) {
      if (*inbox)
        (*inbox)(bytes);
    });
  auto with_port = options;
  with_port.fleet.player.wake_port = post->port();
  return std::make_unique<wake_run>(where, with_port, into, std::move(post), *inbox);
}

} // namespace muster::load
