// The connection's part that is called: wakes, tests of wakes, a machine that sleeps and moves.
#include "actors/agent/connection.hpp"
#include "net/wire/agent.pb.h"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace muster::actors {

using namespace std::chrono_literals;

// -- counters -------------------------------------------------------------------------------------

void connection_state::load_counters() {
  load_number("wake_counter", [this](std::uint64_t wakes) {
    wake_counter_ = wakes;
    if (peers_.datagrams.took_wakes)
      peers_.datagrams.took_wakes(wakes);
    load_number("hello_counter", [this](std::uint64_t hellos) {
      counter_ = hellos;
      consider();
    });
  });
}

/// Both rows run behind the clock, so that one which cannot be read goes on from there.
void connection_state::load_number(const std::string& row,
                                   std::function<void(std::uint64_t)> then) {
  self_
    ->request(peers_.reader, caf::infinite, atom::get_v, storage::family::meta,
              storage::keys::setting(row))
    .then(
      [this, row, then = std::move(then)](const read_result& found) {
        std::uint64_t number = 0;
        if (found.value && storage::records::decode_number(*found.value, number)) {
          spdlog::error("the spool's {} cannot be read; counting goes on from the clock", row);
          const bool seconds = row == "hello_counter";
          number = static_cast<std::uint64_t>(options_.now_us() / (seconds ? 1'000'000 : 1));
        }
        then(number);
      },
      [this](const caf::error& why) { self_->quit(why); });
}

// -- wakes ----------------------------------------------------------------------------------------

/// First to the disk: whatever happens then, this datagram will never be worth anything again.
void connection_state::on_wake(wake_purpose why, std::uint64_t counter) {
  if (stopping_ || counter <= wake_counter_)
    return;
  storage::change_batch change{storage::put(storage::family::meta,
                                            storage::keys::setting("wake_counter"),
                                            storage::records::encode_number(counter))};
  self_
    ->request(peers_.writer, caf::infinite, atom::put_v,
              std::make_shared<const storage::change_batch>(std::move(change)), durability::command)
    .then(
      [this, why, counter](caf::ok_atom) {
        wake_counter_ = std::max(wake_counter_, counter);
        ++wakes_;
        obey_wake(why);
      },
      [](const caf::error& problem) {
        spdlog::warn("a wake is not obeyed, for its counter could not be written: {}",
                     text_of(problem));
      });
}

void connection_state::obey_wake(wake_purpose why) {
  if (stopping_)
    return;
  if (wake_test_ && wake_test_->asked) { // what we asked for ourselves
    end_wake_probe(true, {});
    return consider();
  }
  spdlog::info("{} calls", options_.server);
  not_before_ = told_not_before_ = now();
  if (why == wake_purpose::control) {
    linger_wanted_ = phase_ != phase::open;
    linger_until_ = now() + options_.wake_linger;
  }
  if (phase_ == phase::open)
    return prove();
  if (phase_ != phase::greeted)
    sync_wanted_ = true;
  consider();
}

/// The connection is open as far as we know; somebody seems to know better.
void connection_state::prove() {
  proving_ = true;
  heard_at_ = now();
  sync_wanted_ = true;
  consider();
}

// -- the machine sleeps and moves -----------------------------------------------------------------

/// Many changes are of no concern: containers come and go. Ours is the way to the server.
void connection_state::on_network_changed() {
  if (stopping_ || now() < away_until_)
    return;
  const auto& towards = peers_.datagrams.source_towards;
  const auto source = towards && !address_.empty() ? towards(address_) : std::string{};
  const bool waits = phase_ == phase::idle && now() < not_before_;
  const bool moved = source != source_ || !towards || address_.empty();
  source_ = source;
  if (waits || moved)
    call_soon();
}

/// At most one at a time: a network that flickers does not make us hurry.
void connection_state::call_soon() {
  if (std::exchange(call_pending_, true))
    return;
  std::uniform_int_distribution<std::int64_t> pause{0, options_.spread_max.count()};
  self_->delayed_send(self_, std::chrono::milliseconds{pause(random_)}, atom::next_v);
}

void connection_state::on_call_due() {
  call_pending_ = false;
  if (stopping_ || now() < away_until_)
    return;
  backoff_.reset();
  not_before_ = now();
  if (phase_ == phase::open)
    return prove();
  sync_wanted_ = true;
  consider();
}

/// Nobody tells us of a sleep where there is no logind.
void connection_state::look_for_sleep() {
  if (!options_.slept)
    return;
  const auto slept = options_.slept();
  if (slept - std::exchange(slept_, slept) < 1s)
    return;
  spdlog::info("this machine has slept");
  going_ = off_reason::none;
  away_until_ = now();
  call_soon();
}

// -- keys -----------------------------------------------------------------------------------------

/// All generations that are valid, the newest two of them kept. None given: those we have will do.
void connection_state::learn_keys(const wire::welcome& welcome) {
  std::vector<net::device_datagram_keys> fresh;
  for (const auto& given : welcome.datagram_keys()) {
    net::device_datagram_keys keys;
    keys.generation = given.generation();
    const bool whole = given.generation() != 0 && given.wake_key().size() == keys.wake.size()
                       && given.notice_key().size() == keys.notice.size();
    if (!whole)
      return spdlog::warn("{} gave keys for datagrams that are none", options_.server);
    std::copy(given.wake_key().begin(), given.wake_key().end(), keys.wake.begin());
    std::copy(given.notice_key().begin(), given.notice_key().end(), keys.notice.begin());
    fresh.push_back(keys);
  }
  if (fresh.empty())
    return;
  std::sort(fresh.begin(), fresh.end(),
            [](const auto& a, const auto& b) { return a.generation > b.generation; });
  fresh.resize(std::min<std::size_t>(fresh.size(), 2));
  options_.keys = std::move(fresh);
  if (peers_.datagrams.keep_keys)
    peers_.datagrams.keep_keys(options_.keys);
}

// -- tests of wakes -------------------------------------------------------------------------------

caf::result<wake_probe> connection_state::on_wake_probe() {
  if (stopping_)
    return make_error(errc::stopping, "the agent is stopping");
  if (wake_test_)
    return make_error(errc::overloaded, "such a test is in progress; try again in a few seconds");
  if (!peers_.datagrams.wake_port || peers_.datagrams.wake_port() == 0)
    return wake_probe{false, false, 0, "this agent does not listen for wakes"};
  wake_test_ = std::make_unique<wake_test>();
  wake_test_->asker = self_->make_response_promise<actors::wake_probe>();
  wake_test_->begun = now();
  wake_test_->number = ++wake_tests_;
  auto answer = wake_test_->asker;
  self_->delayed_send(self_, options_.wake_probe_max, atom::probe_v, wake_tests_);
  if (phase_ == phase::open) {
    ask_for_wake();
  } else {
    sync_wanted_ = true;
    not_before_ = now();
    consider();
  }
  return answer;
}

void connection_state::ask_for_wake() {
  if (!wake_test_ || std::exchange(wake_test_->asked, true))
    return;
  wake_test_->begun = now();
  wire::agent_message message;
  message.mutable_wake_test();
  say(message);
}

void connection_state::on_wake_test_sent(const wire::wake_test_sent& answer) {
  if (!wake_test_)
    return;
  wake_test_->sent = answer.sent();
  if (!answer.sent())
    end_wake_probe(false, answer.text().empty() ? "the server did not say why" : answer.text());
  consider();
}

void connection_state::end_wake_probe(bool arrived, std::string text) {
  const auto test = std::exchange(wake_test_, nullptr);
  if (!test)
    return;
  actors::wake_probe out;
  out.arrived = arrived;
  out.sent = arrived || test->sent;
  out.text = std::move(text);
  if (!arrived && !test->sent && out.text.empty())
    out.text = test->asked ? "the server did not answer: it may be of an older version"
                           : "the agent could not connect to its server in time";
  if (arrived)
    out.took_ms = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now() - test->begun).count());
  test->asker.deliver(std::move(out));
}

} // namespace muster::actors
