#include "tests/actors/session_world.hpp"

#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <algorithm>

namespace muster::test {

using storage::family;

directory_actor::behavior_type fake_directory(directory_actor::pointer self, fleet_notes* notes) {
  return {
    [=](atom::admit, const hello_facts_ptr& facts) -> caf::result<admission_ptr> {
      notes->hellos.push_back(facts);
      if (notes->silent)
        return self->make_response_promise<admission_ptr>();
      return std::make_shared<const admission>(notes->decision);
    },
    [=](atom::left, const device_id& device, const caf::actor_addr&) {
      notes->left.push_back(device);
    },
    [=](atom::contact, const device_id& device) { notes->contacts.push_back(device); },
    [=](atom::sync, const device_id& device, std::uint32_t replaced) {
      notes->replaced.emplace_back(replaced);
      // As the real one: through the writer.
      auto answer = self->make_response_promise<caf::ok_atom>();
      self
        ->request(notes->writer_of_directory, caf::infinite, atom::put_v,
                  std::make_shared<const storage::change_batch>(storage::change_batch{storage::put(
                    family::devices, storage::keys::device_report(device.bytes), "report")}),
                  durability::fact)
        .then([answer](caf::ok_atom) mutable { answer.deliver(caf::ok_atom_v); },
              [answer](const caf::error& why) mutable { answer.deliver(why); });
      return caf::result<caf::ok_atom>{answer};
    },
    [=](atom::compare, const device_id&, const document_standing& standing)
      -> caf::result<admission_ptr> {
      notes->standings.push_back(standing);
      if (!notes->is_known)
        return make_error(errc::refused, "the device is no longer known");
      auto out = std::make_shared<admission>(notes->decision);
      out->known = notes->held;
      return admission_ptr{std::move(out)};
    },
    [=](atom::fetch, const device_id&, const document_wishes_ptr& wishes) {
      notes->wishes.push_back(wishes);
      return std::make_shared<const std::vector<document_parcel>>(notes->parcels);
    },
    [](atom::publish, const fleet_snapshot_ptr&) {},
    [](atom::publish, const device_id&, const own_documents_ptr&) {},
    [](atom::assign, const device_id&, const assignment_order_ptr&) { return true; },
    [](atom::place, const placement_order_ptr&) { return placement_report_ptr{}; },
    [=](atom::synced, const sync_outcome_ptr& outcome) { notes->outcomes.push_back(outcome); },
    [=](atom::failed, const device_id& device) { notes->failed.push_back(device); },
    [=](atom::probe, const device_id&) -> caf::result<wake_result> {
      if (notes->wake_answer)
        return *notes->wake_answer;
      return self->make_response_promise<wake_result>(); // nobody will ever deliver it
    },
    [](atom::call, const device_call&) {},
    [](atom::notice, const notice_facts&) { return false; },
    [](atom::enrol, const enrolled_device_ptr&) { return caf::ok_atom_v; },
    [](atom::revoke, const device_id&, const audit_entry_ptr&) { return true; },
    [](atom::remove, const device_id&, const audit_entry_ptr&) { return true; },
    [](atom::list, const device_query_ptr&) { return std::make_shared<const device_page>(); },
    [=](atom::find, const device_id& device) {
      auto page = std::make_shared<device_page>();
      if (notes->is_known) {
        page->rows.emplace_back();
        page->rows.back().device = device;
        page->rows.back().digests = notes->held;
      }
      return device_page_ptr{std::move(page)};
    },
    [](atom::count) { return device_counts{}; },
    [](atom::next) {},
    [](atom::tick) {},
    [](atom::status) { return std::string{}; },
  };
}

enroller_actor::behavior_type fake_enroller(enroller_actor::pointer self, fleet_notes* notes) {
  return {
    [=](atom::enrol, const enrolment_ptr& order) -> caf::result<enrolment_result_ptr> {
      notes->enrolments.push_back(order);
      if (notes->silent)
        return self->make_response_promise<enrolment_result_ptr>();
      return std::make_shared<const enrolment_result>(notes->enrolled);
    },
    [](atom::create, const token_order&) { return token_infos{}; },
    [](atom::list) { return token_infos{}; },
    [](atom::revoke, const std::string&, const audit_entry_ptr&) { return true; },
    [](atom::status) { return std::string{}; },
  };
}

event_book_actor::behavior_type fake_book(event_book_actor::pointer, fleet_notes* notes) {
  return {
    [=](atom::publish, const stored_events_ptr& events) { notes->published.push_back(events); },
    [](atom::failed, std::error_code) {},
    [](atom::raise, const device_id&, const raised_event_ptr&) {},
    [](atom::subscribe, const event_tail_actor&) {},
    [](atom::tick) {},
    [](atom::next) {},
    [](atom::metrics) { return metrics_text{}; },
    [](atom::status) { return std::string{}; },
  };
}

server_root_actor::behavior_type fake_root(server_root_actor::pointer, fleet_notes* notes) {
  return {
    [](atom::opened, door, const net::accepted_ptr&) {},
    [=](atom::adopt, stage at, const caf::actor& child) {
      CHECK(at == stage::work);
      notes->adopted.push_back(child);
    },
    [](atom::bound, door) { return std::uint16_t{0}; },
    [](atom::census) { return census_ptr{}; },
    [](atom::metrics) { return metrics_text{}; },
    [](atom::respawn, std::uint32_t) {},
    [](atom::tick, std::uint32_t) {},
    [](atom::status) { return std::string{}; },
  };
}

template <class Result, class... Args>
caf::result<Result> slow_writer_state::pass_on(Args... args) {
  auto answer = self_->make_response_promise<Result>();
  waiting_.push_back([=, this] {
    self_->request(writer_, caf::infinite, args...)
      .then([answer](const Result& result) mutable { answer.deliver(result); },
            [answer](const caf::error& why) mutable { answer.deliver(why); });
  });
  if (!*slow_)
    self_->send(self_, atom::tick_v);
  return answer;
}

store_writer_actor::behavior_type slow_writer_state::make_behavior(store_writer_actor writer,
                                                                   const bool* slow) {
  writer_ = std::move(writer);
  slow_ = slow;
  return {
    [this](atom::put what, const change_batch_ptr& changes, durability how) {
      return pass_on<caf::ok_atom>(what, changes, how);
    },
    [this](atom::append what, const event_append_ptr& events) {
      return pass_on<append_result>(what, events);
    },
    [this](atom::position what, const device_id& device) {
      return pass_on<event_position>(what, device);
    },
    [](atom::remove, const device_id&) {},
    [](atom::watch, const disk_watcher_actor&) {},
    [](atom::commit) {},
    [this](atom::tick) {
      for (const auto& one : std::exchange(waiting_, {}))
        one();
    },
    [](atom::metrics) { return metrics_text{}; },
    [](atom::status) { return std::string{}; },
  };
}

store_writer_actor::behavior_type
slow_writer(store_writer_actor::stateful_pointer<slow_writer_state> self, store_writer_actor writer,
            const bool* slow) {
  return self->state.make_behavior(std::move(writer), slow);
}

content facts(const std::string& host) {
  wire::device_facts out;
  out.set_host_name(host);
  out.set_os_id("debian");
  return content{out.SerializeAsString()};
}

content applications(const std::vector<std::string>& names) {
  wire::applications out;
  for (const auto& one : names) {
    auto& item = *out.add_items();
    item.set_name(one);
    item.set_version("1.0");
    item.set_architecture("amd64");
    item.set_manager("dpkg");
  }
  return content{out.SerializeAsString()};
}

session_world::session_world() {
  enrolled.device = mill;
  enrolled.certificate = "a certificate";
  decision.device_name = "mill";
  services = std::make_shared<session_services>();
  writer = host(storage::store_writer,
                storage::store_writer_options{.db = &db, .clock = [this] { return now_us; }});
  services->writer = host(slow_writer, writer, &slow);
  writer_of_directory = services->writer;
  services->readers.push_back(host(storage::store_reader, &db));
  services->directories.push_back(host(fake_directory, this));
  services->enroller = host(fake_enroller, this);
  services->event_book = host(fake_book, this);
  services->settings.server_version = "test";
  services->gifts.server_id = std::string(16, 's');
  services->now = [this] {
    if (clock_breaks)
      throw std::runtime_error("the test breaks this handler");
    return now_us;
  };
  services->random_below = [](std::uint32_t bound) { return bound / 2; };
  root = host(fake_root, this);
}

session_world::connection session_world::connect(bool proved) {
  connection out;
  auto accepted = std::make_shared<net::accepted>();
  accepted->connection = out.link;
  accepted->peer.encrypted = encrypted;
  accepted->peer.address = "192.0.2.7";
  if (proved)
    accepted->peer.certificate_sha256.emplace().fill(9);
  else
    accepted->peer.exporter.emplace().fill(3);
  out.session =
    host(session, net::accepted_ptr{std::move(accepted)}, session_services_ptr{services}, root);
  return out;
}

session_world::connection session_world::welcome() {
  auto out = connect();
  say(out, hello());
  REQUIRE(out.link->last() == says::kWelcome);
  return out;
}

void session_world::hurry() {
  slow = false;
  self->send(services->writer, atom::tick_v);
  settle();
}

void session_world::say(connection& at, const wire::agent_message& message) {
  at.link->deliver(message.SerializeAsString());
  settle();
}

// -- messages -------------------------------------------------------------------------------------

namespace {

template <class Digests>
void fill(Digests& out, const section_digests& from) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] == section_digest{})
      continue;
    auto& one = *out.Add();
    one.set_section(static_cast<wire::section>(i + 1));
    one.set_digest(from[i].data(), from[i].size());
  }
}

} // namespace

wire::agent_message session_world::hello(const section_digests& digests, bool events_waiting) {
  wire::agent_message out;
  auto& said = *out.mutable_hello();
  said.set_protocol(1);
  said.set_agent_version("1.0");
  said.set_device_id(mill.raw());
  said.set_boot_id(std::string(16, 'b'));
  said.set_fingerprint(std::string(16, 'f'));
  said.set_counter(1);
  said.set_events_waiting(events_waiting);
  said.mutable_statistics()->set_uptime_s(42);
  fill(*said.mutable_digests(), digests);
  return out;
}

wire::agent_message session_world::enrol_request() {
  wire::agent_message out;
  auto& request = *out.mutable_enrol_request();
  request.set_token("secret");
  request.set_csr("csr");
  request.set_proof("proof");
  request.set_fingerprint(std::string(16, 'f'));
  request.set_host_name("mill");
  return out;
}

wire::agent_message session_world::sync_request(const section_digests& digests) {
  wire::agent_message out;
  fill(*out.mutable_sync_request()->mutable_digests(), digests);
  out.mutable_sync_request()->mutable_statistics()->set_uptime_s(43);
  return out;
}

wire::agent_message session_world::chunk(std::size_t section, const content& of) {
  return chunk(section, of.digest, of.packed, true);
}

wire::agent_message session_world::chunk(std::size_t section, const section_digest& digest,
                                         std::string data, bool last) {
  wire::agent_message out;
  auto& part = *out.mutable_section_chunk();
  part.set_section(static_cast<wire::section>(section + 1));
  part.set_digest(digest.data(), digest.size());
  part.set_data(std::move(data));
  part.set_last(last);
  return out;
}

wire::agent_message session_world::events(event_position after, std::uint64_t epoch,
                                          std::uint64_t first, std::uint64_t last) {
  wire::agent_message out;
  auto& batch = *out.mutable_events();
  batch.mutable_after()->set_epoch(after.epoch);
  batch.mutable_after()->set_sequence(after.sequence);
  batch.set_epoch(epoch);
  for (auto sequence = first; sequence <= last; ++sequence) {
    auto& one = *batch.add_items();
    one.set_sequence(sequence);
    one.set_severity(wire::severity_warning);
    one.set_type("test.event");
    one.set_text("event " + std::to_string(sequence));
  }
  return out;
}

// -- looking --------------------------------------------------------------------------------------

void session_world::check_refused(const connection& at, wire::refusal why,
                                  const std::string& text) {
  REQUIRE(at.link->last() == says::kRefused);
  CHECK(at.link->sent.back().refused().reason() == why);
  CHECK(at.link->sent.back().refused().text() == text);
  CHECK(at.link->closed);
  CHECK_FALSE(alive(at.session));
}

void session_world::check_busy(const connection& at) {
  REQUIRE(at.link->last() == says::kBusy);
  CHECK(at.link->sent.back().busy().retry_after_ms() == services->return_after_ms());
  CHECK(at.link->closed);
  CHECK_FALSE(alive(at.session));
}

std::size_t session_world::children_alive() {
  return static_cast<std::size_t>(
    std::count_if(adopted.begin(), adopted.end(), [&](const auto& one) { return alive(one); }));
}

std::vector<std::uint64_t> session_world::stored_sequences() const {
  std::vector<std::pair<std::int64_t, std::uint64_t>> found;
  REQUIRE_FALSE(db.scan(family::events, {}, false, [&](auto, auto value) {
    storage::record::event_block block;
    REQUIRE_FALSE(storage::records::decode(value, block));
    for (const auto& event : block.events())
      found.emplace_back(block.received_us(), event.sequence());
    return true;
  }));
  std::sort(found.begin(), found.end());
  std::vector<std::uint64_t> out;
  for (const auto& [received, sequence] : found)
    out.push_back(sequence);
  return out;
}

std::vector<std::string> session_world::indexed() const {
  std::vector<std::string> out;
  REQUIRE_FALSE(db.scan(family::index, storage::keys::applications(), false, [&](auto key, auto) {
    const auto entry = storage::keys::parse_application(key);
    REQUIRE(entry);
    CHECK(entry->device == mill.bytes);
    out.push_back(entry->name);
    return true;
  }));
  return out;
}

bool session_world::has_section(std::uint16_t number) const {
  std::error_code ec;
  return db.get(family::inventory, storage::keys::section(mill.bytes, number), ec).has_value();
}

} // namespace muster::test
