#include "apps/load/troupe.hpp"

#include <algorithm>
#include <utility>

namespace muster::load {

troupe::troupe(stage& where, troupe_options options, result& into)
  : stage_(where), options_(std::move(options)), result_(into), random_(options_.player.seed) {}

troupe::~troupe() = default;

void troupe::begin() {
  for (std::uint32_t i = 0; i < options_.agents; ++i)
    players_.push_back(std::make_shared<player>(stage_.pool(), options_.player,
                                                options_.first_number + i, *this));
  enrol_more();
}

void troupe::enrol_more() {
  while (next_ < players_.size() && in_progress_ < options_.at_once) {
    auto& one = *players_[next_++];
    if (one.has_enrolled())
      continue;
    ++in_progress_;
    one.enrol();
  }
  if (next_ < players_.size() || in_progress_ > 0 || begun_)
    return;
  begun_ = true;
  std::erase_if(players_, [](const auto& one) { return !one->has_enrolled(); });
  for (std::size_t i = 0; i < players_.size(); ++i)
    players_[i]->take_seat(static_cast<std::uint32_t>(i));
  result_.tell("enrolled", enrolled_);
  next_ = 0;
  enrolled();
}

void troupe::on_news(player& who, const player_news& what) {
  if (stage_.is_over())
    return;
  if (begun_)
    return on(who, what);
  if (what.what == news::sent_away) // too many enrol at once: later, by the server's word
    return stage_.at(steady::now() + std::chrono::milliseconds{what.amount},
                     [&who] { who.enrol(); });
  if (what.what == news::enrolled)
    ++enrolled_;
  else
    result_.failed(std::string{"enrolment: "} + std::string{what.text});
  --in_progress_;
  stage_.at(steady::now(), [this] { enrol_more(); });
}

void troupe::ramp() {
  next_ = 0;
  in_progress_ = 0;
  ramp_more();
}

void troupe::ramp_more() {
  while (next_ < players_.size() && in_progress_ < options_.at_once) {
    ++in_progress_;
    players_[next_++]->connect(true);
  }
}

void troupe::settled() {
  if (in_progress_ == 0)
    return;
  --in_progress_;
  stage_.at(steady::now(), [this] { ramp_more(); });
}

} // namespace muster::load
