#include "storage/store_reader_actor.hpp"

#include <muster/assert.hpp>

#include <utility>

namespace muster::storage {

actors::store_reader_actor::behavior_type store_reader_state::make_behavior(const store* db) {
  MUSTER_ASSERT(db != nullptr, "a reader needs a store");
  db_ = db;
  return {
    [this](atom::get, family f, const std::string& key) { return get(f, key); },
    [this](atom::read, const actors::read_job& job) { return run(job); },
    [this](atom::status) {
      return std::to_string(gets_) + " gets, " + std::to_string(jobs_) + " queries, " +
             std::to_string(failures_) + " failed";
    },
  };
}

caf::result<actors::read_result> store_reader_state::get(family f, const std::string& key) {
  ++gets_;
  std::error_code ec;
  auto value = db_->get(f, key, ec);
  if (ec) {
    ++failures_;
    return actors::make_error(ec);
  }
  return actors::read_result{std::move(value)};
}

caf::result<caf::ok_atom> store_reader_state::run(const actors::read_job& job) {
  ++jobs_;
  if (const auto ec = (*job)(*db_)) {
    ++failures_;
    return actors::make_error(ec);
  }
  return caf::ok_atom_v;
}

actors::store_reader_actor::behavior_type
store_reader(actors::store_reader_actor::stateful_pointer<store_reader_state> self,
             const store* db) {
  return self->state.make_behavior(db);
}

} // namespace muster::storage
