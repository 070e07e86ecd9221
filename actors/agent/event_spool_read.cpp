// The spool's ways out, and in again: what a start finds, what the server gets, new names.
#include "actors/agent/event_spool.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace muster::actors {

namespace {

template <class Job>
read_job make_job(Job job) {
  return std::make_shared<const std::function<std::error_code(const storage::store&)>>(
    std::move(job));
}

} // namespace

void event_spool_state::recover() {
  const auto contents = std::make_shared<spool_contents>();
  self_
    ->request(peers_.reader, caf::infinite, atom::read_v,
              make_job([contents](const storage::store& from) {
                return read_contents(from, *contents);
              }))
    .then([this, contents](caf::ok_atom) { on_recovered(*contents); },
          [this](const caf::error& why) { fail(why); });
}

void event_spool_state::on_recovered(const spool_contents& contents) {
  erased_to_ = contents.erased_to;
  spool_found before;
  for (auto found : contents.found) {
    // Unreadable: it belongs with its predecessor, or else to nobody.
    if (found.epoch == 0) {
      found.epoch = before.epoch != 0 ? before.epoch : options_.draw_epoch();
      found.offset = before.epoch != 0 ? before.offset : found.entry.number - 1;
    }
    index_.load(found);
    before = found;
  }
  index_.reserve(contents.next_number);
  index_.begin_epoch(options_.draw_epoch());
  if (!index_.empty())
    spdlog::info("spool: {} events wait for the server", index_.events());
  if (contents.unreadable.empty()) {
    tell_ready();
    return done();
  }
  spdlog::error("spool: {} events cannot be read and are lost", contents.unreadable.size());
  const auto plan = index_.plan_loss(contents.unreadable);
  storage::change_batch changes;
  add_gaps(plan, changes);
  write(
    std::move(changes), durability::command, [this, plan] { on_committed(plan); },
    [this](const caf::error& why) { fail(why); });
}

// -- to the server --------------------------------------------------------------------------------

caf::result<spool_batch_ptr> event_spool_state::on_next(const event_position& after,
                                                        std::uint32_t bytes_max) {
  auto promise = self_->make_response_promise<spool_batch_ptr>();
  queue({[this, after, bytes_max, promise] { read(after, bytes_max, promise); },
         [promise](const caf::error& why) mutable { promise.deliver(why); }});
  return promise;
}

void event_spool_state::read(const event_position& after, std::uint32_t bytes_max,
                             caf::typed_response_promise<spool_batch_ptr> promise) {
  const auto batch = std::make_shared<spool_batch>();
  batch->after = after;
  const auto stretch = index_.behind(after);
  if (!stretch) {
    promise.deliver(spool_batch_ptr{batch});
    return done();
  }
  const auto part = std::make_shared<spool_part>();
  self_
    ->request(peers_.reader, caf::infinite, atom::read_v,
              make_job([stretch = *stretch, bytes_max, part](const storage::store& from) {
                return read_part(from, stretch, bytes_max, *part);
              }))
    .then(
      [this, first = stretch->first, epoch = stretch->run.epoch, part, batch,
       promise](caf::ok_atom) mutable {
        if (part->numbers.empty() || !index_.holds(first, part->numbers))
          return fail(make_error(errc::internal, "the disk does not hold what it should"));
        batch->epoch = epoch;
        batch->events = std::move(part->events);
        index_.hand_out(part->numbers.back());
        promise.deliver(spool_batch_ptr{batch});
        done();
      },
      [this, promise](const caf::error& why) mutable {
        if (is(why, storage::errc::corrupt) || is(why, storage::errc::newer_format))
          return fail(why); // a new start makes a gap of it
        promise.deliver(why);
        done();
      });
}

// -- new names ------------------------------------------------------------------------------------

caf::result<caf::ok_atom> event_spool_state::on_renumber(const event_position& position) {
  auto promise = self_->make_response_promise<caf::ok_atom>();
  queue({[this, position, promise] { renumber(position, promise); },
         [promise](const caf::error& why) mutable { promise.deliver(why); }});
  return promise;
}

void event_spool_state::renumber(const event_position& position,
                                 caf::typed_response_promise<caf::ok_atom> promise) {
  if (position.epoch != index_.epoch())
    index_.cut(index_.end_of(position));
  auto changes = erasures();
  const auto erased_end = index_.first_number();
  const auto first = index_.first_name();
  const auto epoch = options_.draw_epoch();
  changes.push_back(put_naming(first, index_.next_number(), epoch));
  write(
    std::move(changes), durability::command,
    [this, erased_end, first, epoch, promise]() mutable {
      erased(erased_end);
      index_.rename(first, epoch);
      if (promise.pending())
        promise.deliver(caf::ok_atom_v);
      done();
    },
    [this, promise](const caf::error& why) mutable {
      not_erased();
      if (promise.pending())
        promise.deliver(why);
      done();
    });
}

} // namespace muster::actors
