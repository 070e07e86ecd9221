#pragma once
// A fleet whose event book is asked, and what it left in the store.

#include "tests/actors/fleet_world.hpp"

#include <map>
#include <set>

namespace muster::test {

constexpr std::int64_t day_us = storage::keys::bucket_us;

struct book_world : fleet_world {
  void raise(const device_id& about, const std::string& type, const std::string& name = "",
             severity how = severity::info) {
    auto event = std::make_shared<raised_event>();
    event->severity = how;
    event->type = type;
    event->text = type + " happened";
    event->device_name = name;
    self->send(book, atom::raise_v, about, raised_event_ptr{event});
  }

  std::vector<std::string> types() {
    std::vector<std::string> out;
    for (const auto& one : events())
      out.push_back(one.type);
    return out;
  }

  /// As an agent's stream would.
  void store(const device_id& device, severity how, std::size_t text_bytes = 10) {
    auto out = std::make_shared<event_append>();
    out->device = device;
    out->after = ask<event_position>(writer, atom::position_v, device);
    out->epoch = 9;
    event_item item;
    item.sequence = out->after.sequence + 1;
    item.severity = how;
    item.type = "test.event";
    item.text = std::string(text_bytes, 'x');
    out->events.push_back(item);
    REQUIRE(ask<append_result>(writer, atom::append_v, event_append_ptr{out}).stored);
  }

  /// One info event now, one after so many days; failures between, so that time is seen to pass.
  void store_and_wait(const device_id& device, int days) {
    store(device, severity::info);
    for (int i = 0; i < days; ++i) {
      now_us += day_us;
      store(device, severity::failure);
    }
    store(device, severity::info);
  }

  /// A look at retention each hour; the wall clock stands.
  void pass_hours(int hours) {
    for (int i = 0; i < hours; ++i)
      pass(1h);
  }

  /// How many days there are of each severity; and whether index and blocks agree.
  std::map<int, std::size_t> days() {
    std::map<int, std::set<std::uint32_t>> blocks;
    std::map<int, std::set<std::uint32_t>> entries;
    REQUIRE_FALSE(db->scan(family::events, {}, false, [&](auto key, auto) {
      const auto parsed = storage::keys::parse_event(key);
      blocks[parsed->severity].insert(parsed->bucket);
      return true;
    }));
    REQUIRE_FALSE(db->scan(family::index, {}, false, [&](auto key, auto) {
      if (const auto parsed = storage::keys::parse_device_event(key))
        entries[parsed->severity].insert(parsed->bucket);
      return true;
    }));
    CHECK(blocks == entries);
    std::map<int, std::size_t> out;
    for (const auto& [how, set] : blocks)
      out[how] = set.size();
    return out;
  }

  std::string metric(const std::string& name) {
    const auto text = *ask<metrics_text>(book, atom::metrics_v);
    const auto at = text.find("\nmuster_events_" + name + " ");
    REQUIRE(at != std::string::npos);
    const auto begin = text.find(' ', at) + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  }
};

} // namespace muster::test
