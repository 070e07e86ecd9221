#include "actors/server/call_board.hpp"

#include "actors/errc.hpp"
#include "actors/rules/device_filter.hpp"
#include "actors/rules/shard.hpp"
#include "actors/server/audit.hpp"
#include "actors/server/call_limits.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace muster::actors {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

constexpr std::int64_t second_us = 1'000'000;
/// Numbers count seconds from the beginning of 2025, so that they are short enough to be typed.
constexpr std::int64_t first_second = 1'735'689'600;
/// How often those who are asked or woken are looked at for being silent.
constexpr auto sweep_period = std::chrono::minutes{1};
constexpr std::string_view silent_text = "nothing was heard of it within 20 minutes";
static_assert(call_limits::heard_of_within == std::chrono::minutes{20}, "as the text says");

std::int64_t us_of(std::chrono::nanoseconds time) {
  return duration_cast<microseconds>(time).count();
}

/// Empty when it can be called for.
std::string problem_of(const call_order& order) {
  if (order.target.find_first_not_of(' ') == std::string::npos)
    return "a call needs a target; '*' is every device";
  std::string problem;
  if (!rules::device_filter::parse(order.target, problem))
    return "'target' is none: " + problem;
  return {};
}

} // namespace

call_board_actor::behavior_type call_board_state::make_behavior(call_board_options options) {
  options_ = std::move(options);
  allowance_ = call_limits::devices_per_turn;
  filled_at_ = self_->clock().now();
  return {
    [this](atom::progress, const call_progress& what) { on_progress(what); },
    [this](atom::create, const call_order_ptr& order) { return create(order); },
    [this](atom::get, const call_query& query) { return report(query); },
    [this](atom::list) { return list(); },
    [this](atom::tick) { tick(); },
    [this](atom::metrics) { return metrics(); },
    [this](atom::status) { return status(); },
  };
}

// -- beginning ------------------------------------------------------------------------------------

caf::result<call_report_ptr> call_board_state::create(const call_order_ptr& order) {
  if (const auto problem = problem_of(*order); !problem.empty())
    return make_error(errc::invalid, problem);
  if (!make_room())
    return make_error(errc::overloaded, fmt::format("{} calls are under way; wait until one of "
                                                    "them has ended",
                                                    call_limits::calls_max));
  const auto number = next_number();
  auto entry = *order->audit;
  entry.detail = "call " + std::to_string(number);
  auto changes = std::make_shared<storage::change_batch>();
  changes->push_back(audit_change(entry, options_.now()));
  auto answer = self_->make_response_promise<call_report_ptr>();
  ++creating_;
  self_
    ->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{changes},
              durability::command)
    .then(
      [this, number, order, answer](caf::ok_atom) {
        --creating_;
        begin(number, *order, answer);
      },
      [this, answer](const caf::error& why) mutable {
        --creating_;
        answer.deliver(why);
      });
  return answer;
}

std::uint64_t call_board_state::next_number() {
  const auto second = options_.now() / second_us - first_second;
  const auto present = static_cast<std::uint64_t>(std::max<std::int64_t>(second, 1));
  last_number_ = std::max(last_number_ + 1, present);
  return last_number_;
}

void call_board_state::begin(std::uint64_t number, const call_order& order, report_promise answer) {
  auto call = std::make_unique<one_call>(options_.now());
  call->order = order;
  call->selection.emplace(order.target, options_.directories.size());
  auto& stored = *calls_.emplace(number, std::move(call)).first->second;
  ++calls_begun_;
  answer.deliver(std::make_shared<const call_report>(summary(number, stored)));
  ask_directory(number);
}

void call_board_state::ask_directory(std::uint64_t number) {
  auto* const call = find(number);
  for (const auto& one : call->selection->questions()) {
    self_
      ->request(options_.directories[one.shard], caf::infinite, atom::list_v, one.query)
      .then([this, number, shard = one.shard](
              const device_page_ptr& page) { on_page(number, shard, page); },
            [this, number](const caf::error& why) {
              end_selection(number, "its devices could not be found: " + text_of(why));
            });
  }
}

void call_board_state::on_page(std::uint64_t number, std::size_t shard,
                               const device_page_ptr& page) {
  auto* const call = find(number);
  if (call == nullptr || !call->selection)
    return; // given up meanwhile
  const auto before = call->devices.size();
  call->selection->take(shard, page, call->devices);
  rows_ += call->devices.size() - before;
  while (rows_ > call_limits::rows_max)
    if (!forget_one())
      return end_selection(number, fmt::format("more than {} devices would be in all calls under "
                                               "way; wait until one of them has ended",
                                               call_limits::rows_max));
  if (call->selection->over())
    end_selection(number, {});
  else
    ask_directory(number);
}

/// With a problem nobody is called: half of a target is not what was meant.
void call_board_state::end_selection(std::uint64_t number, std::string problem) {
  auto* const call = find(number);
  if (call == nullptr || !call->selection)
    return;
  call->selection.reset();
  rows_ -= call->devices.size();
  if (!problem.empty()) {
    call->problem = std::move(problem);
    call->devices = call_ledger{call->created_us};
  }
  call->devices.seal();
  rows_ += call->devices.size();
  note_end(*call);
  if (call->devices.waiting() > 0)
    turns_.push_back(number);
  call_devices();
}

// -- calling --------------------------------------------------------------------------------------

void call_board_state::tick() {
  tick_in_flight_ = false;
  call_devices();
}

/// Whole turns since the last time; what is not used up is not saved for a burst.
void call_board_state::refill() {
  const auto turns = (self_->clock().now() - filled_at_) / call_limits::turn_period;
  if (turns <= 0)
    return;
  filled_at_ += turns * call_limits::turn_period;
  allowance_ = call_limits::devices_per_turn;
}

std::size_t call_board_state::outstanding() const {
  std::size_t out = 0;
  for (const auto& [number, call] : calls_)
    out += call->devices.outstanding();
  return out;
}

/// Each call in turn gets a fair share of what may be called now.
void call_board_state::call_devices() {
  refill();
  auto free = call_limits::outstanding_max - std::min(outstanding(), call_limits::outstanding_max);
  if (free == 0)
    for (const auto& [number, call] : calls_)
      sweep(*call);
  while (!turns_.empty() && allowance_ > 0 && free > 0) {
    const auto number = turns_.front();
    const auto share = std::max<std::size_t>(1, std::min(allowance_, free) / turns_.size());
    turns_.pop_front();
    auto* const call = find(number);
    for (std::size_t i = 0; i < share; ++i) {
      const auto device = call->devices.begin_next(options_.now());
      if (!device)
        break;
      call_one(number, *device);
      --allowance_;
      --free;
    }
    if (call->devices.waiting() > 0)
      turns_.push_back(number);
  }
  if (!turns_.empty() && !std::exchange(tick_in_flight_, true))
    self_->delayed_send(self_, call_limits::turn_period, atom::tick_v);
}

void call_board_state::call_one(std::uint64_t number, const device_id& device) {
  ++devices_called_;
  device_call one;
  one.call = number;
  one.device = device;
  one.kind = find(number)->order.kind;
  one.watcher = call_board_actor{self_};
  const auto shard = rules::shard_of(device, options_.directories.size());
  self_->send(options_.directories[shard], atom::call_v, std::move(one));
}

void call_board_state::on_progress(const call_progress& what) {
  auto* const call = find(what.call);
  if (call == nullptr || !call->devices.take(what))
    return; // forgotten meanwhile, or said before
  devices_done_ += what.step == call_step::done ? 1 : 0;
  devices_failed_ += what.step == call_step::failed ? 1 : 0;
  note_end(*call);
}

void call_board_state::note_end(one_call& call) {
  if (call.finished_us == 0 && call.devices.settled())
    call.finished_us = options_.now();
}

void call_board_state::sweep(one_call& call) {
  const auto now_us = options_.now();
  if (call.devices.outstanding() == 0 || now_us - call.swept_us < us_of(sweep_period))
    return;
  call.swept_us = now_us;
  devices_failed_ += call.devices.give_up(now_us - us_of(call_limits::heard_of_within), now_us,
                                          silent_text);
  note_end(call);
}

// -- remembering ----------------------------------------------------------------------------------

call_board_state::one_call* call_board_state::find(std::uint64_t number) {
  const auto at = calls_.find(number);
  return at == calls_.end() ? nullptr : at->second.get();
}

void call_board_state::forget_old() {
  const auto before = options_.now() - us_of(call_limits::kept);
  for (auto at = calls_.begin(); at != calls_.end();) {
    sweep(*at->second);
    const bool goes = at->second->finished_us != 0 && at->second->created_us < before;
    rows_ -= goes ? at->second->devices.size() : 0;
    at = goes ? calls_.erase(at) : std::next(at);
  }
}

/// The oldest that has come to its end.
bool call_board_state::forget_one() {
  const auto at = std::find_if(calls_.begin(), calls_.end(), [](const auto& one) {
    return one.second->finished_us != 0;
  });
  if (at == calls_.end())
    return false;
  rows_ -= at->second->devices.size();
  calls_.erase(at);
  return true;
}

bool call_board_state::make_room() {
  forget_old();
  return calls_.size() + creating_ < call_limits::calls_max || forget_one();
}

// -- telling --------------------------------------------------------------------------------------

call_report call_board_state::summary(std::uint64_t number, const one_call& call) {
  call_report out;
  out.call = number;
  out.order = call.order;
  out.created_us = call.created_us;
  out.selecting = call.selection.has_value();
  out.problem = call.problem;
  out.devices = call.devices.size();
  out.by_step = call.devices.by_step();
  out.finished_us = call.finished_us;
  return out;
}

call_report_ptr call_board_state::report(const call_query& query) {
  forget_old();
  const auto* const call = find(query.call);
  if (call == nullptr)
    return std::make_shared<const call_report>();
  auto out = summary(query.call, *call);
  if (!out.selecting) // before that their order is not known
    out.rows = call->devices.rows(query, out.next_offset);
  return std::make_shared<const call_report>(std::move(out));
}

std::vector<call_report_ptr> call_board_state::list() {
  forget_old();
  std::vector<call_report_ptr> out;
  for (auto at = calls_.rbegin(); at != calls_.rend(); ++at)
    out.push_back(std::make_shared<const call_report>(summary(at->first, *at->second)));
  return out;
}

metrics_text call_board_state::metrics() const {
  std::size_t waiting = 0;
  for (const auto& [number, call] : calls_)
    waiting += call->devices.waiting();
  const auto called = outstanding();
  return std::make_shared<const std::string>(fmt::format(
    "# HELP muster_calls_total Calls that administrators gave (sync, wake, keep).\n"
    "muster_calls_total {}\n"
    "# HELP muster_call_devices_total Devices of calls whose turn came.\n"
    "muster_call_devices_total {}\n"
    "# HELP muster_call_devices_ended_total Devices of calls by how the call ended.\n"
    "muster_call_devices_ended_total{{end=\"done\"}} {}\n"
    "muster_call_devices_ended_total{{end=\"failed\"}} {}\n"
    "# HELP muster_call_devices_waiting Devices of calls whose turn has not come.\n"
    "muster_call_devices_waiting {}\n"
    "# HELP muster_call_devices_called Devices that have been asked or are being woken.\n"
    "muster_call_devices_called {}\n",
    calls_begun_, devices_called_, devices_done_, devices_failed_, waiting, called));
}

std::string call_board_state::status() const {
  return fmt::format("{} calls, {} devices in them, {} of them called and not heard of",
                     calls_.size(), rows_, outstanding());
}

call_board_actor::behavior_type
call_board(call_board_actor::stateful_pointer<call_board_state> self, call_board_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
