#include "actors/server/waker.hpp"

#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "storage/store.hpp"

#include <muster/assert.hpp>

#include <caf/send.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace muster::actors {

namespace {

constexpr std::string_view bound_setting = "wake_counter_bound";
constexpr const char* no_socket = "the server has no socket to send wakes from";

} // namespace

std::uint64_t load_wake_counter_bound(const storage::store& db, std::error_code& ec) {
  std::uint64_t out = 0;
  const auto value = db.get(storage::family::meta, storage::keys::setting(bound_setting), ec);
  if (value && !ec)
    ec = storage::records::decode_number(*value, out);
  return out;
}

waker_actor::behavior_type waker_state::make_behavior(waker_options options) {
  options_ = std::move(options);
  MUSTER_ASSERT(options_.writer && options_.now && options_.sign &&
                  options_.datagrams_per_second > 0,
                "a waker needs a writer, a clock, a signer and a pace");
  last_ = bound_ = options_.counter_bound;
  tokens_ = tokens_max_ = std::max(1.0, options_.datagrams_per_second / 10.0);
  filled_at_ = self_->clock().now();
  self_->set_down_handler([this](const caf::down_msg& down) {
    if (port_ && port_.address() == down.source)
      port_ = nullptr;
  });
  return {
    [this](atom::wake, const wake_order& order) { return wake(order); },
    [this](atom::contact, const device_id& device) { arrived(device); },
    [this](atom::heard, std::uint64_t counter) { heard(counter); },
    [this](atom::ready, const udp_port_actor& port) { use_port(port); },
    [this](atom::datagrams, const made_wakes_ptr& made) { on_made(*made); },
    [this](atom::tick) {
      ticking_ = false;
      serve();
    },
    [this](atom::metrics) { return metrics(); },
    [this](atom::status) { return status(); },
  };
}

// -- messages -------------------------------------------------------------------------------------

caf::result<wake_result> waker_state::wake(const wake_order& order) {
  ++asked_;
  const auto to = net::make_udp_endpoint(order.address, order.port);
  if (!to || order.port == 0) {
    ++refused_;
    return wake_result{false, 0, "the device has not told where it listens for wakes"};
  }
  const auto place = calls_.find(order.device);
  if (place == calls_.end() && calls_.size() >= wake_limits::wakes_max) {
    ++refused_;
    return wake_result{false, 0, "too many devices are being woken; try again later"};
  }
  auto promise = self_->make_response_promise<wake_result>();
  if (place != calls_.end()) {
    place->second.askers.push_back(promise);
    return promise;
  }
  auto& fresh = calls_[order.device];
  fresh.to = *to;
  fresh.purpose = order.purpose;
  fresh.askers.push_back(promise);
  waiting_.push_back(order.device);
  serve();
  return promise;
}

void waker_state::arrived(const device_id& device) {
  if (const auto place = calls_.find(device); place != calls_.end())
    answer(place, true, {});
}

/// A server that was restored from a backup, or whose clock was ahead once, learns from its devices
/// how far it had come.
void waker_state::heard(std::uint64_t counter) {
  if (counter <= last_ || counter > wake_limits::counter_heard_max)
    return;
  if (counter > bound_)
    spdlog::info("a device has taken wake {}, and this server remembers none beyond {}; it goes on "
                 "behind it",
                 counter, bound_);
  last_ = counter;
}

void waker_state::use_port(const udp_port_actor& port) {
  if (port_)
    self_->demonitor(port_.address());
  port_ = port;
  if (port_)
    self_->monitor(port_);
}

void waker_state::on_made(const made_wakes& made) {
  for (std::size_t i = 0; i < made.jobs.size(); ++i) {
    const auto& job = made.jobs[i];
    auto* const one = find({job.device, job.counter, {}});
    if (one == nullptr)
      continue; // it has arrived meanwhile
    one->bytes = made.bytes[i];
    one->first_try = self_->clock().now();
    ends_.push_back({job.device, job.counter, one->first_try + wake_limits::given_up_after});
    add_try(job.device, *one);
  }
  serve();
}

// -- turns ----------------------------------------------------------------------------------------

void waker_state::serve() {
  refill();
  try_again();
  begin_some();
  give_up();
  if (!outgoing_.empty()) {
    datagrams_ += outgoing_.size();
    self_->send(port_, atom::send_v,
                std::make_shared<const net::datagram_batch>(std::exchange(outgoing_, {})));
  }
  arm();
}

void waker_state::try_again() {
  const auto now = self_->clock().now();
  for (auto& queue : again_)
    while (!queue.empty() && queue.front().at <= now) {
      const auto next = queue.front();
      auto* const one = find(next);
      if (one != nullptr && !take_token())
        return;
      queue.pop_front();
      if (one == nullptr)
        continue;
      if (!port_ && one->sent == 0) // nobody will come of this, and whoever asked may do something else
        answer(calls_.find(next.device), false, no_socket);
      else
        add_try(next.device, *one);
    }
}

void waker_state::begin_some() {
  std::vector<wake_job> jobs;
  const auto hand_out = [&] {
    options_.sign(std::exchange(jobs, {}), [me = waker_actor{self_}](made_wakes_ptr made) {
      caf::anon_send(me, atom::datagrams_v, std::move(made));
    });
  };
  while (!waiting_.empty()) {
    const auto device = waiting_.front();
    const auto place = calls_.find(device);
    if (place == calls_.end() || place->second.counter != 0) {
      waiting_.pop_front(); // it has ended, or been asked for anew and begun
      continue;
    }
    if (tokens_ < 1)
      break;
    const auto counter = next_counter();
    if (counter == 0)
      break;
    static_cast<void>(take_token());
    waiting_.pop_front();
    place->second.counter = counter;
    jobs.push_back({device, counter, place->second.purpose});
    if (jobs.size() == wake_limits::signed_at_once)
      hand_out();
  }
  if (!jobs.empty())
    hand_out();
}

/// In the order of their first tries, which is the order of their ends.
void waker_state::give_up() {
  const auto now = self_->clock().now();
  for (; !ends_.empty() && ends_.front().at <= now; ends_.pop_front())
    if (find(ends_.front()) != nullptr) {
      const auto place = calls_.find(ends_.front().device);
      answer(place, false,
             place->second.sent == 0 ? no_socket : "");
    }
}

void waker_state::refill() {
  const auto now = self_->clock().now();
  const std::chrono::duration<double> passed = now - filled_at_;
  filled_at_ = now;
  tokens_ = std::min(tokens_max_, tokens_ + passed.count() * options_.datagrams_per_second);
}

bool waker_state::take_token() {
  if (tokens_ < 1)
    return false;
  tokens_ -= 1;
  return true;
}

/// Datagrams leave with the end of the turn.
void waker_state::add_try(const device_id& device, call& what) {
  if (port_) {
    outgoing_.push_back({what.to, what.bytes});
    ++what.sent;
  }
  if (what.tries < again_.size())
    again_[what.tries].push_back(
      {device, what.counter, what.first_try + wake_limits::again_after[what.tries]});
  ++what.tries;
}

void waker_state::arm() {
  if (calls_.empty() || std::exchange(ticking_, true))
    return;
  self_->delayed_send(self_, wake_limits::tick, atom::tick_v);
}

waker_state::call* waker_state::find(const due_try& which) {
  const auto place = calls_.find(which.device);
  return place != calls_.end() && place->second.counter == which.counter ? &place->second
                                                                         : nullptr;
}

void waker_state::answer(calls::iterator which, bool is_there, std::string text) {
  const wake_result result{is_there, which->second.sent, std::move(text)};
  auto askers = std::move(which->second.askers);
  calls_.erase(which);
  ++(is_there ? arrived_ : result.text.empty() ? unanswered_ : refused_);
  for (auto& asker : askers)
    asker.deliver(result);
}

// -- the counter ----------------------------------------------------------------------------------

std::uint64_t waker_state::next_counter() {
  const auto clock = static_cast<std::uint64_t>(std::max<std::int64_t>(options_.now(), 0));
  const auto next = std::max(last_ + 1, clock);
  if (next > bound_) {
    move_bound(next);
    return 0;
  }
  last_ = next;
  return next;
}

void waker_state::move_bound(std::uint64_t beyond) {
  if (std::exchange(moving_bound_, true))
    return;
  const auto bound = beyond + wake_limits::counter_ahead;
  auto batch = std::make_shared<storage::change_batch>();
  batch->push_back(storage::put(storage::family::meta, storage::keys::setting(bound_setting),
                                storage::records::encode_number(bound)));
  self_->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{std::move(batch)},
                 durability::command)
    .then(
      [this, bound](caf::ok_atom) {
        moving_bound_ = false;
        bound_ = bound;
        serve();
      },
      [this](const caf::error& why) {
        moving_bound_ = false;
        refuse_waiting(why);
      });
}

void waker_state::refuse_waiting(const caf::error& why) {
  const auto text = "the wake counter could not be stored: " + text_of(why);
  spdlog::error("nobody is woken: {}", text);
  for (const auto& device : std::exchange(waiting_, {}))
    if (const auto place = calls_.find(device); place != calls_.end() && place->second.counter == 0)
      answer(place, false, text);
}

// -- questions ------------------------------------------------------------------------------------

metrics_text waker_state::metrics() const {
  std::string out;
  const auto add = [&](std::string_view figure, std::string_view type, std::uint64_t value) {
    const auto full = "muster_wakes_" + std::string(figure);
    out += "# TYPE " + full + " " + std::string(type) + "\n";
    out += full + " " + std::to_string(value) + "\n";
  };
  add("asked_total", "counter", asked_);
  add("arrived_total", "counter", arrived_);
  add("unanswered_total", "counter", unanswered_);
  add("refused_total", "counter", refused_);
  add("sent_total", "counter", datagrams_);
  add("in_flight", "gauge", calls_.size());
  return std::make_shared<const std::string>(std::move(out));
}

std::string waker_state::status() const {
  return "waker: " + std::to_string(calls_.size()) + " in flight, " + std::to_string(datagrams_) +
         " datagrams sent, " + std::to_string(arrived_) + " arrived, " +
         std::to_string(unanswered_) + " unanswered" + (port_ ? "" : ", no socket");
}

waker_actor::behavior_type waker(waker_actor::stateful_pointer<waker_state> self,
                                 waker_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
