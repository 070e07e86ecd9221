#include "actors/server/event_book.hpp"

#include "net/certificate.hpp"
#include "storage/errc.hpp"
#include "storage/keys.hpp"

#include <muster/assert.hpp>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <functional>
#include <utility>

namespace muster::actors {

namespace {

constexpr std::array<const char*, event_severities> severity_names = {"info", "warning", "critical",
                                                                      "failure"};

std::size_t index_of(severity how) {
  return static_cast<std::size_t>(how) - 1;
}

std::uint64_t draw_epoch() {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  net::random_bytes(bytes);
  return std::bit_cast<std::uint64_t>(bytes);
}

} // namespace

event_book_actor::behavior_type event_book_state::make_behavior(event_book_options options) {
  options_ = std::move(options);
  MUSTER_ASSERT(options_.writer && options_.reader && options_.now,
                "an event book needs a writer, a reader and a clock");
  epoch_ = draw_epoch();
  self_->set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  self_->delayed_send(self_, options_.retention_period, atom::tick_v);
  self_->send(options_.writer, atom::watch_v, disk_watcher_actor{event_book_actor{self_}});
  return {
    [this](atom::failed, std::error_code ec) { on_disk(ec); },
    [this](atom::publish, const stored_events_ptr& events) { publish(events); },
    [this](atom::raise, const device_id& about, const raised_event_ptr& event) {
      raise(about, *event);
    },
    [this](atom::subscribe, const event_tail_actor& tail) { subscribe(tail); },
    [this](atom::tick) { look_at_retention(); },
    [this](atom::next) {
      in_trouble_ = false;
      store_next();
    },
    [this](atom::metrics) { return metrics(); },
    [this](atom::status) { return status(); },
  };
}

// -- who watches
// ------------------------------------------------------------------------------------

void event_book_state::publish(const stored_events_ptr& events) {
  for (const auto& item : events->batch->events)
    if (index_of(item.severity) < event_severities)
      ++published_[index_of(item.severity)];
  for (const auto& tail : tails_)
    self_->send(tail, atom::publish_v, events);
}

void event_book_state::subscribe(const event_tail_actor& tail) {
  if (std::find(tails_.begin(), tails_.end(), tail) != tails_.end())
    return;
  self_->monitor(tail);
  tails_.push_back(tail);
}

void event_book_state::on_down(const caf::down_msg& down) {
  std::erase_if(tails_,
                [&](const event_tail_actor& tail) { return tail.address() == down.source; });
}

// -- what the server says
// ---------------------------------------------------------------------------

void event_book_state::raise(const device_id& about, const raised_event& event) {
  if (raised_.size() >= fleet_limits::raised_max) {
    ++dropped_untold_;
    ++dropped_total_;
    return;
  }
  line_up(about, event);
}

void event_book_state::line_up(const device_id& about, const raised_event& event) {
  raised one;
  one.device = about;
  one.device_name = about.is_zero() ? options_.server_name : event.device_name;
  one.item.time_ms = event.time_ms != 0 ? event.time_ms : options_.now() / 1000;
  one.item.severity = index_of(event.severity) < event_severities ? event.severity : severity::info;
  one.item.type = event.type;
  one.item.text = event.text;
  one.item.attributes = event.attributes;
  raised_.push_back(std::move(one));
  store_next();
}

void event_book_state::store_next() {
  if (storing_ || in_trouble_ || raised_.empty())
    return;
  storing_ = true;
  if (position_)
    append(next_batch());
  else
    ask_position();
}

void event_book_state::ask_position() {
  self_->request(options_.writer, caf::infinite, atom::position_v, device_id{})
    .then(
      [this](const event_position& last) {
        position_ = last;
        storing_ = false;
        store_next();
      },
      [this](const caf::error& why) { try_again_later(why); });
}

/// The next ones that speak of the same device. They stay in line until the disk has them.
event_append_ptr event_book_state::next_batch() const {
  const auto& front = raised_.front();
  auto out = std::make_shared<event_append>();
  out->device = front.device;
  out->device_name = front.device_name;
  out->numbered_by = device_id{};
  out->after = *position_;
  out->epoch = epoch_;
  auto sequence = position_->epoch == epoch_ ? position_->sequence : 0;
  for (const auto& one : raised_) {
    if (one.device != front.device || out->events.size() == fleet_limits::raised_per_append)
      break;
    out->events.push_back(one.item);
    out->events.back().sequence = ++sequence;
  }
  return out;
}

void event_book_state::append(const event_append_ptr& batch) {
  self_->request(options_.writer, caf::infinite, atom::append_v, batch)
    .then([this, batch](const append_result& result) { on_appended(batch, result); },
          [this](const caf::error& why) { try_again_later(why); });
}

void event_book_state::on_appended(const event_append_ptr& batch, const append_result& result) {
  storing_ = false;
  position_ = result.position;
  if (result.stored) {
    const auto count = batch->events.size();
    raised_.erase(raised_.begin(), raised_.begin() + static_cast<std::ptrdiff_t>(count));
    raised_total_ += count;
    publish(std::make_shared<const stored_events>(stored_events{batch, result.received_us}));
    tell_losses();
  }
  store_next();
}

void event_book_state::tell_losses() {
  const auto dropped = std::exchange(dropped_untold_, 0);
  if (dropped == 0)
    return;
  raised_event event;
  event.severity = severity::warning;
  event.type = "server.events_dropped";
  event.text = std::to_string(dropped) + " events of the server's own were lost: the store "
                                         "did not take them in time";
  event.attributes = {{"events", std::to_string(dropped)}};
  line_up(device_id{}, event);
}

/// As the writer found it.
void event_book_state::on_disk(const std::error_code& ec) {
  if (!ec && disk_fails_)
    tell_disk_recovered();
  const auto now = self_->clock().now();
  if (!ec || disk_fails_ || (disk_told_at_ && now - *disk_told_at_ < fleet_limits::disk_told_interval))
    return;
  disk_fails_ = true;
  disk_told_at_ = now;
  tell_disk_fails(ec);
}

void event_book_state::tell_disk_fails(const std::error_code& ec) {
  raised_event event;
  event.severity = severity::failure;
  event.type = ec == storage::errc::disk_full ? "server.disk_full" : "server.disk_failed";
  event.text = "the server's store: " + ec.message() +
               "; nothing is acknowledged until that is over, agents keep what they have to say";
  line_up(device_id{}, event);
}

void event_book_state::tell_disk_recovered() {
  disk_fails_ = false;
  const auto lasted =
    std::chrono::ceil<std::chrono::seconds>(self_->clock().now() - *disk_told_at_).count();
  raised_event event;
  event.type = "server.disk_recovered";
  event.text = fmt::format("the server's store can be written again after {} s", lasted);
  event.attributes = {{"seconds", std::to_string(lasted)}};
  line_up(device_id{}, event);
}

void event_book_state::try_again_later(const caf::error& why) {
  storing_ = false;
  in_trouble_ = true;
  spdlog::warn("event book: events of the server's own wait: {}", text_of(why));
  self_->delayed_send(self_, fleet_limits::raise_again_after, atom::next_v);
}

// -- forgetting
// -------------------------------------------------------------------------------------

void event_book_state::look_at_retention() {
  self_->delayed_send(self_, options_.retention_period, atom::tick_v);
  if (std::exchange(looking_at_retention_, true))
    return;
  const auto today = storage::keys::bucket_of(options_.now());
  const auto plan = std::make_shared<retention_plan>();
  const auto look = [plan, today, rules = options_.retention, last_day = retention_day_,
                     gone = gone_](const storage::store& db) {
    return plan_retention(db, rules, today, last_day, gone, *plan);
  };
  self_
    ->request(options_.reader, caf::infinite, atom::read_v,
              std::make_shared<const std::function<std::error_code(const storage::store&)>>(look))
    .then(
      [this, plan, today](caf::ok_atom) {
        note_clock(*plan, today);
        carry_out(*plan);
      },
      [this](const caf::error& why) {
        looking_at_retention_ = false;
        spdlog::error("event book: cannot look which events are to go: {}", text_of(why));
      });
}

void event_book_state::note_clock(const retention_plan& plan, std::uint32_t today) {
  retention_day_ = plan.day;
  const auto before = std::exchange(days_behind_, today - plan.day);
  if (before == 0 && days_behind_ > 0)
    spdlog::warn("event book: the clock is {} days ahead of the events that are stored; if it is "
                 "wrong, mend it: old events go one day an hour until that is caught up with",
                 days_behind_);
}

void event_book_state::carry_out(const retention_plan& plan) {
  bytes_kept_ = plan.bytes_kept;
  auto changes = retention_changes(plan);
  if (changes.empty()) {
    gone_ = plan.first_kept;
    looking_at_retention_ = false;
    return;
  }
  self_
    ->request(options_.writer, caf::infinite, atom::put_v,
              std::make_shared<const storage::change_batch>(std::move(changes)), durability::fact)
    .then(
      [this, plan](caf::ok_atom) {
        looking_at_retention_ = false;
        gone_ = plan.first_kept;
        days_erased_ += plan.days_gone;
        spdlog::info("event book: {} days of events have been erased", plan.days_gone);
      },
      [this](const caf::error& why) { // the next hour finds them again
        looking_at_retention_ = false;
        spdlog::error("event book: events past their time stay for now: {}", text_of(why));
      });
}

// -- how it is doing
// --------------------------------------------------------------------------------

metrics_text event_book_state::metrics() const {
  std::string out = "# TYPE muster_events_published_total counter\n";
  for (std::size_t i = 0; i < event_severities; ++i)
    out += fmt::format("muster_events_published_total{{severity=\"{}\"}} {}\n", severity_names[i],
                       published_[i]);
  const auto line = [&](const char* what, const char* type, std::uint64_t value) {
    out +=
      fmt::format("# TYPE muster_events_{} {}\nmuster_events_{} {}\n", what, type, what, value);
  };
  line("raised_total", "counter", raised_total_);
  line("raised_dropped_total", "counter", dropped_total_);
  line("raised_waiting", "gauge", raised_.size());
  line("tails", "gauge", tails_.size());
  line("days_erased_total", "counter", days_erased_);
  line("kept_bytes", "gauge", bytes_kept_);
  line("retention_days_behind", "gauge", days_behind_);
  return std::make_shared<const std::string>(std::move(out));
}

std::string event_book_state::status() const {
  return fmt::format("{} tails, {} events of the server's own, {} waiting, {} days erased",
                     tails_.size(), raised_total_, raised_.size(), days_erased_);
}

event_book_actor::behavior_type
event_book(event_book_actor::stateful_pointer<event_book_state> self, event_book_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
