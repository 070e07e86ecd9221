#include "bench/commit/contenders.hpp"
#include "storage/event_blocks_actor.hpp"
#include "storage/rocks_store.hpp"
#include "storage/store_writer_actor.hpp"

#include <muster/assert.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace muster::bench {

namespace {

using actors::append_result;
using actors::store_writer_actor;

/// One round of one sender, an event_stream as far as the writer is concerned: prepares an append,
/// sends it, and the next one when that is durable.
class sender_state {
public:
  static inline const char* name = "sender";

  explicit sender_state(caf::event_based_actor* self) : self_(self) {}

  caf::behavior make_behavior(store_writer_actor writer, const sender_load* load,
                              std::atomic<std::size_t>* left) {
    writer_ = std::move(writer);
    load_ = load;
    left_ = left;
    next();
    return {[](caf::unit_t) {}};
  }

private:
  void next() {
    if (at_ == load_->size()) {
      left_->fetch_sub(1, std::memory_order_release);
      left_->notify_one();
      return self_->quit();
    }
    const auto& append = (*load_)[at_++];
    storage::prepare(*append);
    self_->request(writer_, caf::infinite, atom::append_v, actors::event_append_ptr{append})
      .then(
        [this](const append_result& result) {
          MUSTER_ASSERT(result.stored, "each append is behind the one before");
          next();
        },
        [](const caf::error&) { MUSTER_ASSERT(false, "the disk has room"); });
  }

  caf::event_based_actor* self_;
  store_writer_actor writer_;
  const sender_load* load_ = nullptr;
  std::atomic<std::size_t>* left_ = nullptr;
  std::size_t at_ = 0;
};

caf::behavior sender(caf::stateful_actor<sender_state>* self, store_writer_actor writer,
                     const sender_load* load, std::atomic<std::size_t>* left) {
  return self->state.make_behavior(std::move(writer), load, left);
}

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
           std::chrono::system_clock::now().time_since_epoch())
    .count();
}

caf::actor_system_config& as_the_server(caf::actor_system_config& config) {
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{std::thread::hardware_concurrency()});
  config.set("scheduler.max-throughput", std::size_t{50});
  return config;
}

class writer_contender final : public contender {
public:
  explicit writer_contender(const std::filesystem::path& directory) {
    std::error_code ec;
    std::string problem;
    db_ = storage::open_rocks_store({.directory = directory}, ec, problem);
    MUSTER_ASSERT(db_ != nullptr, "the store can be made");
    system_ = std::make_unique<caf::actor_system>(as_the_server(config_));
    storage::store_writer_options options;
    options.db = db_.get();
    options.clock = now_us;
    options.syncs = storage::sync_by::thread;
    writer_ = system_->spawn<caf::detached>(storage::store_writer, options);
  }

  ~writer_contender() override {
    caf::anon_send_exit(writer_, caf::exit_reason::user_shutdown);
    writer_ = nullptr; // a detached actor that somebody holds outlives its system
  }

  cost play(const std::vector<sender_load>& round) override {
    std::atomic<std::size_t> left{round.size()};
    const stopwatch watch;
    for (const auto& load : round)
      system_->spawn(sender, writer_, &load, &left);
    for (auto now = left.load(std::memory_order_acquire); now > 0;
         now = left.load(std::memory_order_acquire))
      left.wait(now, std::memory_order_acquire);
    return watch.read();
  }

  std::uint64_t commits() const override {
    caf::scoped_actor self{*system_};
    std::string text;
    self->request(writer_, caf::infinite, atom::metrics_v)
      .receive([&](const actors::metrics_text& figures) { text = *figures; },
               [](const caf::error&) { MUSTER_ASSERT(false, "the writer lives"); });
    const std::string name = "\nmuster_store_commits_total ";
    return std::stoull(text.substr(text.find(name) + name.size()));
  }

private:
  std::unique_ptr<storage::store> db_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  store_writer_actor writer_;
};

} // namespace

std::unique_ptr<contender> make_writer(const std::filesystem::path& directory) {
  return std::make_unique<writer_contender>(directory);
}

} // namespace muster::bench
