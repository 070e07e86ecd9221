#include "apps/load/rehearsal.hpp"

#include <utility>

namespace muster::load {

void rehearsed_troupe::enrolled() {
  if (players().empty())
    return where().finish();
  ramp();
}

void rehearsed_troupe::after(std::uint64_t ms, std::function<void()> what) {
  where().at(steady::now() + std::chrono::milliseconds{ms}, std::move(what));
}

void rehearsed_troupe::on(player& who, const player_news& what) {
  if (open_)
    return on_stage(who, what);
  switch (what.what) {
  case news::synced:
    return who.leave();
  case news::sent_away:
    return after(what.amount, [&who] { who.connect(true); });
  case news::failed:
    into().failed("before the scenario: " + std::string{what.text});
    [[fallthrough]];
  case news::closed:
    settled();
    if (++rehearsed_ < players().size())
      return;
    open_ = true;
    return after(1'000, [this] { curtain_up(); }); // let the server put its things in order
  default:
    return;
  }
}

} // namespace muster::load
