// What the server wants on this device, on its way from the wire to the disk.
#include "tests/agent/connection_world.hpp"
#include "tests/agent/settings_machine.hpp"

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

const auto sshd = policy("sshd", 7, "{PermitRootLogin: false, Port: 22}", {"PermitRootLogin"});
const auto sshd_moved = policy("sshd", 8, "{PermitRootLogin: false, Port: 2222}", {"PermitRootLogin"});
const auto chrony = policy("chrony", 2, "{makestep: 1 3}");

std::string bytes_of(const document_hash& hash) { return {hash.begin(), hash.end()}; }

struct documents_world : connection_world {
  documents_world() { begin_keeper(); }

  void begin_keeper() {
    settings_keeper_options options;
    options.hands = machine_of_settings.hands();
    options.now_us = [this] { return now_us; };
    options.tell_changed = [this] {
      if (agent)
        caf::anon_send(agent, atom::changed_v);
    };
    options.tell_policy = [this](const agent_policy& policy) {
      if (agent)
        caf::anon_send(agent, atom::publish_v, policy);
    };
    keeper = host(settings_keeper, std::move(options), settings_keeper_peers{writer, reader, spool});
  }

  document_hash held() { return ask<keeper_report_ptr>(keeper, atom::collect_v)->documents; }

  void welcome_with(fake_link& link, const std::vector<made_document>& documents,
                    const std::vector<wire::section>& wanted = {}) {
    wire::server_message message;
    auto& out = *message.mutable_welcome();
    out.set_server_time_ms(1'700'000'000'000);
    out.set_sync_period_s(900);
    out.set_sync_jitter_percent(10);
    for (const auto section : wanted)
      out.mutable_plan()->add_wanted(section);
    fill(*out.mutable_manifest(), *manifest_of(documents));
    tell(link, message);
  }
  void push(fake_link& link, const std::vector<made_document>& documents) {
    wire::server_message message;
    fill(*message.mutable_document_manifest(), *manifest_of(documents));
    tell(link, message);
  }
  void send_part(fake_link& link, const document_parcel& parcel, bool end) {
    wire::server_message message;
    auto& part = *message.mutable_document_part();
    part.set_kind(static_cast<wire::document_kind>(parcel.kind));
    part.set_name(parcel.name);
    part.set_hash(bytes_of(parcel.hash));
    if (parcel.base != document_hash{})
      part.set_base(bytes_of(parcel.base));
    part.set_data(parcel.data);
    part.set_gone(parcel.gone);
    part.set_last(true);
    part.set_end(end);
    tell(link, message);
  }
  static const wire::documents_request& request_of(const fake_link& link) {
    REQUIRE_FALSE(link.said.empty());
    REQUIRE(link.said.back().has_documents_request());
    return link.said.back().documents_request();
  }
  static std::size_t requests(const fake_link& link) {
    return static_cast<std::size_t>(
      std::count_if(link.said.begin(), link.said.end(),
                    [](const auto& message) { return message.has_documents_request(); }));
  }
  /// The server has what it asks for, as often as it asks.
  void agree(fake_link& link) {
    wire::server_message plan;
    plan.mutable_sync_plan();
    for (std::size_t seen = 0; !link.closed && seen != link.said.size();) {
      seen = link.said.size();
      if (link.said.back().has_sync_request())
        tell(link, plan);
    }
  }
  /// Fetches all of it over this connection.
  void fetch(fake_link& link, const std::vector<made_document>& documents) {
    for (std::size_t i = 0; i < documents.size(); ++i)
      send_part(link, documents[i].parcel(), i + 1 == documents.size());
  }
};

} // namespace

TEST_CASE_FIXTURE(connection_world, "an agent without a keeper takes no documents, and says so") {
  start();
  auto& link = connect();
  CHECK(link.said[0].hello().documents().empty());
  wire::server_message message;
  message.mutable_welcome();
  fill(*message.mutable_welcome()->mutable_manifest(), *manifest_of({sshd}));
  tell(link, message);
  CHECK(link.said.size() == 1);
  CHECK(link.closed);
}

TEST_CASE_FIXTURE(documents_world, "the hello names what is held; what differs is fetched before the sync is done") {
  start();
  auto pending = begin_ask(agent, atom::sync_v);
  settle();
  auto& link = connect();
  CHECK(link.said[0].hello().documents() == bytes_of(manifest_of({})->digest));
  welcome_with(link, {sshd, chrony});
  const auto& request = request_of(link);
  REQUIRE(request.wishes_size() == 2);
  CHECK(request.wishes(0).name() == "chrony");
  CHECK(request.wishes(0).hash() == bytes_of(chrony.hash));
  CHECK(request.wishes(0).have().empty());
  CHECK_FALSE(link.closed);
  send_part(link, chrony.parcel(), false);
  CHECK(held() == manifest_of({chrony})->digest);
  CHECK(requests(link) == 1);
  CHECK_FALSE(link.said.back().has_sync_request());
  send_part(link, sshd.parcel(), true);
  CHECK(held() == manifest_of({chrony, sshd})->digest);
  CHECK(requests(link) == 1);
  // Who asked for the sync hears of its end when the server knows what came of the documents.
  REQUIRE(link.said.back().has_sync_request());
  agree(link);
  CHECK(take<caf::ok_atom>(pending));
}

TEST_CASE_FIXTURE(documents_world, "a connection that is not kept tells what came of the documents, then closes") {
  start();
  auto& link = connect();
  welcome_with(link, {chrony});
  fetch(link, {chrony}); // nobody here has a connector for it: that is the answer
  REQUIRE(link.said.back().has_sync_request());
  const auto& request = link.said.back().sync_request();
  CHECK(request.documents() == bytes_of(manifest_of({chrony})->digest));
  REQUIRE(request.digests_size() == 4);
  CHECK(request.digests(3).section() == wire::section_settings_states);
  CHECK_FALSE(link.closed);
  wire::server_message plan;
  plan.mutable_sync_plan()->add_wanted(wire::section_settings_states);
  tell(link, plan);
  REQUIRE(link.said.back().has_section_chunk());
  const auto& chunk = link.said.back().section_chunk();
  CHECK(chunk.digest() == request.digests(3).digest());
  std::string content;
  REQUIRE_FALSE(storage::decompress(chunk.data(), 100'000, content));
  wire::settings_states states;
  REQUIRE(states.ParseFromString(content));
  CHECK(states.items(0).outcome() == wire::settings_no_connector);
  sync_done(link);
  CHECK(link.closed);
}

TEST_CASE_FIXTURE(documents_world, "if nothing comes of them it waits for a bounded time") {
  machine_of_settings.connect(sshd_connector); // whose check never ends
  pass(10s);
  start();
  auto& link = connect();
  welcome_with(link, {sshd});
  fetch(link, {sshd});
  CHECK(held() == manifest_of({sshd})->digest);
  pass(9s);
  CHECK_FALSE(link.closed);
  pass(7s);
  CHECK(link.closed);
}

TEST_CASE_FIXTURE(documents_world, "a kept connection takes what is pushed, and the newest manifest wins") {
  auto options = defaults();
  options.keep = true;
  start(options);
  auto& link = connect();
  welcome(link);
  push(link, {sshd});
  REQUIRE(requests(link) == 1);
  push(link, {sshd_moved, chrony}); // before the answer to the first
  CHECK(requests(link) == 1);       // one at a time
  send_part(link, sshd.parcel(), true); // of no use any more
  REQUIRE(requests(link) == 2);
  CHECK(request_of(link).wishes_size() == 2);
  send_part(link, chrony.parcel(), false);
  send_part(link, sshd_moved.parcel(), true);
  CHECK(held() == manifest_of({chrony, sshd_moved})->digest);
  push(link, {chrony});
  CHECK(held() == manifest_of({chrony})->digest);
  CHECK(requests(link) == 2);
  CHECK_FALSE(link.closed);
}

TEST_CASE_FIXTURE(documents_world, "what an answer leaves out is asked for again") {
  start();
  auto& link = connect();
  welcome_with(link, {sshd, chrony});
  send_part(link, chrony.parcel(), true);
  REQUIRE(requests(link) == 2);
  REQUIRE(request_of(link).wishes_size() == 1);
  CHECK(request_of(link).wishes(0).name() == "sshd");
  send_part(link, sshd.parcel(), true);
  CHECK(held() == manifest_of({sshd, chrony})->digest);
}

TEST_CASE_FIXTURE(documents_world, "a change comes as a patch; one that does not fit is asked for as a whole") {
  auto options = defaults();
  options.keep = true;
  start(options);
  auto& link = connect();
  welcome_with(link, {sshd});
  fetch(link, {sshd});
  push(link, {sshd_moved});
  CHECK(request_of(link).wishes(0).have() == bytes_of(sshd.hash));
  SUBCASE("that fits") { send_part(link, sshd_moved.patch_of(sshd), true); }
  SUBCASE("that does not") {
    auto wrong = sshd_moved.patch_of(sshd);
    wrong.data = storage::compress("nonsense");
    send_part(link, wrong, true);
    REQUIRE(requests(link) == 3);
    CHECK(request_of(link).wishes(0).have().empty());
    send_part(link, sshd_moved.parcel(), true);
  }
  CHECK(held() == manifest_of({sshd_moved})->digest);
  CHECK_FALSE(link.closed);
}

TEST_CASE_FIXTURE(documents_world, "a version that is gone is waited for in the next manifest") {
  start();
  auto& link = connect();
  welcome_with(link, {sshd});
  document_parcel gone = sshd.parcel();
  gone.data.clear();
  gone.gone = true;
  send_part(link, gone, true);
  CHECK(requests(link) == 1);
  CHECK_FALSE(link.closed);
  push(link, {sshd_moved});
  REQUIRE(requests(link) == 2);
  send_part(link, sshd_moved.parcel(), true);
  CHECK(held() == manifest_of({sshd_moved})->digest);
}

TEST_CASE_FIXTURE(documents_world, "what makes no sense ends the connection, with a pause and a reason") {
  start();
  auto& link = connect();
  std::string reason;
  SUBCASE("a manifest") {
    wire::server_message message;
    auto& out = *message.mutable_welcome();
    out.mutable_manifest()->add_entries()->set_name("sshd");
    tell(link, message);
    reason = "the server's list of documents makes no sense";
  }
  SUBCASE("a part") {
    welcome_with(link, {sshd});
    auto wrong = sshd.parcel();
    wrong.base.fill(7);
    send_part(link, wrong, true);
    reason = "what the server sent is no document";
  }
  SUBCASE("a document that is not what its hash says") {
    welcome_with(link, {sshd});
    auto wrong = sshd.parcel();
    wrong.data = chrony.parcel().data;
    send_part(link, wrong, true);
    reason = "what the server sent could not be kept";
  }
  SUBCASE("an answer without any of what was asked for") {
    welcome_with(link, {sshd});
    send_part(link, chrony.parcel(), true);
    reason = "the server names documents that it does not send";
  }
  SUBCASE("silence") {
    welcome_with(link, {sshd});
    pass(35s);
    reason = "the server fell silent";
  }
  CHECK(link.closed);
  CHECK(status().find(reason) != std::string::npos);
  CHECK(held() == manifest_of({})->digest);
}

TEST_CASE_FIXTURE(documents_world, "parts that nobody asked for are passed over") {
  auto options = defaults();
  options.keep = true;
  start(options);
  auto& link = connect();
  welcome(link);
  const auto granted = link.granted;
  send_part(link, sshd.parcel(), true);
  CHECK_FALSE(link.closed);
  CHECK(link.granted == granted + 1);
  CHECK(held() == manifest_of({})->digest);
}

TEST_CASE_FIXTURE(documents_world, "a cut at any place is mended by the next hello") {
  start();
  std::vector<made_document> on_disk;
  auto* link = &connect();
  SUBCASE("before the request is answered") { welcome_with(*link, {chrony, sshd}); }
  SUBCASE("between two documents") {
    welcome_with(*link, {chrony, sshd});
    send_part(*link, chrony.parcel(), false);
    on_disk = {chrony};
  }
  SUBCASE("in the middle of one") {
    welcome_with(*link, {chrony, sshd});
    wire::server_message message;
    auto& part = *message.mutable_document_part();
    part.set_kind(wire::document_settings);
    part.set_name("chrony");
    part.set_hash(bytes_of(chrony.hash));
    part.set_data(chrony.parcel().data.substr(0, 9));
    tell(*link, message);
  }
  link->end(std::make_error_code(std::errc::connection_reset));
  settle();
  auto& again = connect_again();
  const auto& hello = again.said[0].hello();
  CHECK(hello.documents() == bytes_of(manifest_of(on_disk)->digest));
  welcome_with(again, {chrony, sshd});
  REQUIRE(requests(again) == 1);
  CHECK(static_cast<std::size_t>(request_of(again).wishes_size()) == 2 - on_disk.size());
  for (int i = 0; i < request_of(again).wishes_size(); ++i) {
    const bool last = i + 1 == request_of(again).wishes_size();
    send_part(again, (request_of(again).wishes(i).name() == "sshd" ? sshd : chrony).parcel(), last);
    if (last)
      break;
  }
  CHECK(held() == manifest_of({chrony, sshd})->digest);
}

TEST_CASE_FIXTURE(documents_world, "the agent's own policy takes the place of its file's start values, and gives way again") {
  auto options = defaults();
  options.period = 300s;
  options.period_is_ours = true;
  start(options);
  auto& link = connect();
  CHECK(link.said[0].hello().sync_period_s() == 300);
  CHECK_FALSE(link.said[0].hello().keep());
  const auto ours = policy("muster-agent", 1, "{sync_period_s: 60, keep: true}");
  welcome_with(link, {ours});
  fetch(link, {ours});
  REQUIRE(link.said.back().has_sync_request()); // it says that the policy is applied
  agree(link);
  CHECK_FALSE(link.closed); // keep
  CHECK(terms.back().sync_period == 60s);
  link.end(std::make_error_code(std::errc::connection_reset));
  settle();
  auto& again = connect_again();
  CHECK(again.said[0].hello().sync_period_s() == 60);
  CHECK(again.said[0].hello().keep());
  welcome_with(again, {});
  agree(again);
  CHECK(terms.back().sync_period == 300s);
  pass(15s);
  CHECK(again.closed);
}
