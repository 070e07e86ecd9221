#include "tests/simulation/cable.hpp"

#include "net/keep_alive.hpp"
#include "net/limits.hpp"

#include <utility>

namespace muster::simulation {

namespace limits = net::limits;

class cable::handle final : public net::link {
public:
  handle(std::shared_ptr<cable> of, side which) : cable_(std::move(of)), side_(which) {}
  ~handle() override { handle::close(); }

  void attach(std::unique_ptr<net::link_sink> sink) override {
    auto& mine = cable_->at(side_);
    if (mine.told)
      sink->on_closed({});
    else
      mine.sink = std::move(sink);
  }
  bool try_send(std::string message) override { return cable_->send(side_, std::move(message)); }
  void grant(std::size_t n) override { cable_->at(side_).credit += n; }
  void trust() override { cable_->at(side_).trusts = true; }
  void close() override { cable_->at(side_).closed = true; }

private:
  std::shared_ptr<cable> cable_;
  side side_;
};

std::shared_ptr<cable> cable::make(std::size_t agent, std::string name, tap see) {
  auto out = std::make_shared<cable>();
  out->agent_ = agent;
  out->name_ = std::move(name);
  out->see_ = std::move(see);
  return out;
}

net::link_ptr cable::end(side which) {
  return std::make_shared<handle>(shared_from_this(), which);
}

bool cable::send(side from, std::string message) {
  auto& mine = at(from);
  if (mine.closed || mine.sent_bytes + message.size() > limits::outbound_bytes_max)
    return false;
  see_(*this, from, message);
  mine.sent_bytes += message.size();
  mine.sent.push_back(std::move(message));
  return true;
}

bool cable::ready(side to) const {
  if (over() || pulled_)
    return false;
  const auto& from = at(other(to));
  if (from.sent.empty())
    return from.closed; // its last word has gone out
  return at(to).closed || (at(to).sink && at(to).credit > 0);
}

void cable::step(side to) {
  const auto keep = shared_from_this();
  auto& from = at(other(to));
  auto& here = at(to);
  if (from.sent.empty())
    return finish();
  auto message = std::move(from.sent.front());
  from.sent.pop_front();
  from.sent_bytes -= message.size();
  if (here.closed)
    return; // nobody reads it
  if (to == side::server && !here.trusts && message.size() > limits::frame_bytes_anonymous_max)
    return cut();
  --here.credit;
  here.sink->on_message(std::move(message));
}

void cable::cut() {
  for (auto& one : ends_)
    one.sent.clear();
  finish();
}

void cable::pull() {
  pulled_ = true;
}

void cable::forget(side which) {
  pull();
  tell(which);
}

void cable::pass(std::chrono::milliseconds time) {
  const bool closing = at(side::agent).closed || at(side::server).closed;
  if (closing)
    closing_for_ += time;
  if (pulled_)
    pulled_for_ += time;
  // A closing end does not wait for ever; a silent one is found out by keepalive.
  if (pulled_) {
    for (const auto which : {side::agent, side::server}) {
      if (at(which).closed && closing_for_ >= limits::flush_max)
        tell(which);
    }
    if (pulled_for_ >= 2 * net::keep_alive_period)
      cut();
  } else if (closing_for_ >= limits::flush_max + limits::linger_max) {
    cut();
  }
}

std::string cable::status() const {
  std::string out = name_ + (pulled_ ? " (pulled)" : "");
  for (const auto which : {side::agent, side::server}) {
    const auto& one = at(which);
    out += which == side::agent ? "; agent" : "; server";
    out += one.told ? " gone" : one.closed ? " closing" : " open";
    out += ", credit " + std::to_string(one.credit) + ", " + std::to_string(one.sent.size()) +
           " messages on their way";
  }
  return out;
}

bool cable::over() const {
  return at(side::agent).told && at(side::server).told;
}

bool cable::open(side which) const {
  return !at(which).closed;
}

void cable::tell(side which) {
  auto& one = at(which);
  one.closed = true;
  if (std::exchange(one.told, true))
    return;
  if (const auto sink = std::move(one.sink))
    sink->on_closed({});
}

void cable::finish() {
  const auto keep = shared_from_this();
  tell(side::agent);
  tell(side::server);
}

} // namespace muster::simulation
