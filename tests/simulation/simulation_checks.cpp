// What must hold.
#include "net/wire/agent.pb.h"
#include "tests/simulation/simulation.hpp"

#include <algorithm>

namespace muster::simulation {

using namespace std::chrono_literals;

namespace {

constexpr auto heal_max = 2h;

} // namespace

/// Every message, when it is sent.
void simulation::see(cable& on, side from, const std::string& message) {
  if (from == side::agent) {
    wire::agent_message said;
    REQUIRE(said.ParseFromString(message));
    if (!said.has_events())
      return;
    auto& sent = sent_[on.agent()];
    for (const auto& one : said.events().items())
      sent[{said.events().epoch(), one.sequence()}] = one.text();
    return;
  }
  wire::server_message said;
  REQUIRE(said.ParseFromString(message));
  on.welcome = on.welcome || said.has_welcome();
  tally_.welcomes += said.has_welcome() ? 1 : 0;
  tally_.syncs += said.has_sync_done() ? 1 : 0;
  tally_.goodbyes += said.has_goodbye() ? 1 : 0;
  tally_.busies += said.has_busy() ? 1 : 0;
  if (said.has_events_ack())
    on_ack(on.agent(), said.events_ack().epoch(), said.events_ack().sequence());
  CHECK_FALSE_MESSAGE(said.refused().reason() == wire::refusal_protocol,
                      on.name() << ": " << said.refused().text());
}

/// An acknowledgement is a promise about the disk, the moment it is sent.
void simulation::on_ack(std::size_t agent, std::uint64_t epoch, std::uint64_t sequence) {
  ++tally_.acknowledgements;
  auto& promised = acknowledged_[agent];
  const auto& sent = sent_[agent];
  for (auto at = sent.lower_bound({epoch, 0});
       at != sent.end() && at->first <= key{epoch, sequence}; ++at)
    promised.insert(at->second);
  const auto disk = stores_.back()->after_power_loss();
  check_acknowledged(*disk);
}

void simulation::check_acknowledged(const storage::memory_store& db) {
  for (const auto& [number, promised] : acknowledged_) {
    const auto texts = stored_texts(db, agents_[number]->device());
    const std::set<std::string> stored(texts.begin(), texts.end());
    for (const auto& text : promised)
      REQUIRE_MESSAGE(stored.contains(text), "acknowledged, and not on the disk: " << text);
  }
}

/// Only when nobody has anything to do: a newcomer is welcome a message before the old one ends.
void simulation::check_one_session_each() {
  std::map<std::size_t, std::size_t> open;
  for (const auto& one : wires_) {
    if (one->welcome && one->open(side::server))
      ++open[one->agent()];
  }
  for (const auto& [agent, count] : open)
    REQUIRE_MESSAGE(count <= 1, agents_[agent]->name() << " has " << count << " sessions");
}

// -- the end --------------------------------------------------------------------------------------

void simulation::heal_and_check() {
  if (!disk_lost_)
    stores_.back()->fail_writes({});
  stores_.back()->fail_next_writes(0, {});
  if (expects_end_)
    crash_the_server(disk_lost_);
  if (!server_)
    start_the_server();
  for (auto& one : agents_) {
    if (!one->running())
      one->start();
  }
  auto passed = 0ms;
  do {
    for (int i = 0; i < 20; ++i) {
      run_everybody();
      move_a_wire();
      answer_a_dial(false);
    }
    let_time_pass(100ms);
    passed += 100ms;
    REQUIRE_MESSAGE(passed < heal_max, "the fleet does not come to rest:\n" << report());
  } while (passed % 5s != 0ms || !all_said());
  run_everybody();
  check_one_session_each();
  check_acknowledged(*stores_.back());
  for (auto& one : agents_) {
    CAPTURE(one->name());
    check_events(*one);
    check_sections(*one);
  }
  // And it stops.
  expects_end_ = true;
  server_->stop();
  for (auto waited = 0ms; !server_->ended() && waited < 40s; waited += 100ms) {
    run_everybody();
    move_a_wire();
    let_time_pass(100ms);
  }
  CHECK(server_->ended());
  CHECK(server_->alive() == 0);
}

/// Whether every agent has handed over all it has.
bool simulation::all_said() {
  for (auto& one : agents_) {
    if (one->waiting() > 0)
      return false;
    const auto snapshot = snapshot_of(one->its_machine());
    const auto page =
      ask<device_page_ptr>(server_->directory_of(one->device()), atom::find_v, one->device());
    REQUIRE(page->rows.size() == 1);
    if (page->rows.front().digests != snapshot->digests)
      return false;
  }
  return true;
}

std::string simulation::report() {
  std::string out;
  for (auto& one : agents_)
    out += one->name() + ": " + one->status() + "\n";
  for (const auto& one : wires_)
    out += one->status() + "\n";
  for (const auto& one : server_->expendable()) {
    if (alive(one))
      out += ask<std::string>(one, atom::status_v) + "\n";
  }
  return out;
}

void simulation::check_events(const agent_side& agent) {
  std::map<std::string, std::size_t> stored;
  for (const auto& text : stored_texts(*stores_.back(), agent.device()))
    ++stored[text];
  for (const auto& [text, what] : agent.events()) {
    const auto times = stored.contains(text) ? stored.at(text) : 0;
    CHECK_MESSAGE(times <= 1, "stored " << times << " times: " << text);
    if (what == fate::accepted)
      CHECK_MESSAGE(times == 1, "lost: " << text);
  }
}

void simulation::check_sections(agent_side& agent) {
  const auto& machine = agent.its_machine();
  const auto snapshot = snapshot_of(machine);
  for (std::size_t i = 0; i < sections; ++i)
    CHECK(stored_section(*stores_.back(), agent.device(), static_cast<std::uint16_t>(i + 1)) ==
          snapshot->content[i]);
  const std::vector<std::string> installed(machine.applications.begin(),
                                           machine.applications.end());
  CHECK(indexed_names(*stores_.back(), agent.device()) == installed);
}

} // namespace muster::simulation
