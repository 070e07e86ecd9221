#include "apps/console/event_follower.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace muster::console {

namespace {

constexpr int retry_wait_max_s = 30;
/// How much earlier than the last one shown a late one may be stamped: streams of different devices
/// are stored side by side.
constexpr moment_us overlap_us = 10'000'000;
constexpr std::size_t remembered_max = 10'000;

std::string member(const nlohmann::json& object, const char* name) {
  if (!object.is_object())
    return {};
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

} // namespace

event_follower::event_follower(console& c, query filters)
  : c_(c), filters_(std::move(filters)), lists_(c.server().again()) {}

int event_follower::run(const query& since, extent before) {
  show_list(since, before);
  has_worked_ = true;
  floor_us_ = last_us_;
  int wait_s = 1;
  std::string problem;
  while (stream_once(problem)) {
    if (streamed_)
      wait_s = 1;
    c_.note("muster: " + problem + "; trying again in " + std::to_string(wait_s) + " s\n");
    c_.world().person.wait(std::chrono::seconds{wait_s});
    wait_s = std::min(wait_s * 2, retry_wait_max_s);
  }
  return exit_fine;
}

bool event_follower::stream_once(std::string& problem) {
  caught_up_ = false;
  streamed_ = false;
  farewell_reason_.clear();
  farewell_.clear();
  problem.clear();
  try {
    const bool ended = c_.server().follow(
      "/events/stream", filters_,
      [this](std::string_view kind, std::string_view, std::string_view data) {
        return on_item(kind, data);
      },
      problem);
    if (!c_.world().person.is_read())
      return false;
    if (farewell_reason_ == "login")
      throw failure(exit_unreachable, farewell_);
    if (ended)
      problem = farewell_.empty() ? "the server ended the stream" : farewell_;
  } catch (const failure& why) {
    // Away for a while is what we wait for, but only once it has worked.
    if (!why.may_pass() || !has_worked_)
      throw;
    problem = why.text();
  }
  return true;
}

bool event_follower::on_item(std::string_view kind, std::string_view data) {
  streamed_ = true;
  if (kind == "end") {
    const auto json = nlohmann::json::parse(data, nullptr, false);
    farewell_reason_ = member(json, "reason");
    farewell_ = member(json, "detail");
    return true;
  }
  if (kind != "event")
    return true;
  if (!caught_up_)
    catch_up();
  show(answer_as<admin::event>(data), data);
  return c_.world().person.is_read();
}

void event_follower::catch_up() {
  caught_up_ = true;
  const auto since = std::max(floor_us_, last_us_ - overlap_us);
  if (since > 0)
    show_list({{"since", std::to_string(since)}}, {0, true});
}

void event_follower::show_list(query q, extent wanted) {
  q.insert(filters_.begin(), filters_.end());
  admin::event_list list;
  const auto result = read_pages(lists_, "/events", q, wanted, list);
  const auto json = nlohmann::ordered_json::parse(result.json, nullptr, false);
  // The API has the newest first.
  for (int index = list.events_size() - 1; index >= 0; --index)
    show(list.events(index), c_.json ? json["events"][static_cast<std::size_t>(index)].dump() : "");
}

void event_follower::show(const admin::event& e, std::string_view json) {
  const event_name name{e.device_id(), e.epoch(), e.sequence()};
  if (!shown_.insert(name).second)
    return;
  shown_in_order_.push_back(name);
  if (shown_in_order_.size() > remembered_max) {
    shown_.erase(shown_in_order_.front());
    shown_in_order_.pop_front();
  }
  last_us_ = std::max(last_us_, e.received_us());
  if (c_.json)
    c_.out_json(nlohmann::ordered_json::parse(json, nullptr, false).dump());
  else
    c_.out(event_line(e, c_.look()));
}

} // namespace muster::console
