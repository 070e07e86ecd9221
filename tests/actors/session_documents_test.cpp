// Documents on their way to a device: what a session says, takes and refuses.

#include "actors/server/convert.hpp"
#include "net/documents.hpp"
#include "net/limits.hpp"
#include "tests/actors/session_world.hpp"

using namespace muster;
using namespace muster::test;

namespace {

constexpr auto hash_bytes = std::size_t{16};

manifest_ptr manifest_of(const std::vector<std::string>& names) {
  auto out = std::make_shared<document_manifest>();
  for (const auto& name : names) {
    document_entry entry{document_kind::settings, name, 7, {}};
    entry.hash.fill(5);
    out->entries.push_back(entry);
  }
  out->digest.fill(3);
  return out;
}

wire::document_wish& add_wish(wire::agent_message& to, const std::string& name) {
  auto& wish = *to.mutable_documents_request()->add_wishes();
  wish.set_kind(wire::document_settings);
  wish.set_name(name);
  wish.set_hash(std::string(hash_bytes, '\x05'));
  return wish;
}

wire::agent_message request(const std::vector<std::string>& names = {"sshd"}) {
  wire::agent_message out;
  for (const auto& name : names)
    add_wish(out, name);
  return out;
}

wire::agent_message with_documents(wire::agent_message message, const std::string& digest) {
  if (message.has_hello())
    message.mutable_hello()->set_documents(digest);
  else
    message.mutable_sync_request()->set_documents(digest);
  return message;
}

document_parcel parcel(const std::string& name, std::string data) {
  document_parcel out;
  out.name = name;
  out.hash.fill(5);
  out.data = std::move(data);
  return out;
}

} // namespace

// -- manifests ------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(session_world, "a manifest comes with the welcome, and only when there is one to tell") {
  auto quiet = connect();
  say(quiet, with_documents(hello(), std::string(hash_bytes, 'd')));
  REQUIRE(quiet.link->last() == says::kWelcome);
  CHECK_FALSE(quiet.link->sent[0].welcome().has_manifest());
  REQUIRE(hellos.size() == 1);
  CHECK(hellos[0]->documents.takes_any);
  CHECK(hellos[0]->documents.encrypted);
  CHECK(hellos[0]->documents.digest[0] == 'd');
  quiet.link->end();
  settle();

  decision.manifest = manifest_of({"chrony", "sshd"});
  encrypted = false;
  auto at = connect();
  say(at, with_documents(hello(), std::string(hash_bytes, 'd')));
  REQUIRE(at.link->last() == says::kWelcome);
  CHECK(at.link->sent.size() == 1);
  const auto& told = at.link->sent[0].welcome().manifest();
  REQUIRE(told.entries_size() == 2);
  CHECK(told.entries(1).name() == "sshd");
  CHECK(told.entries(1).revision() == 7);
  CHECK(told.entries(1).hash() == std::string(hash_bytes, '\x05'));
  CHECK(net::problem_with(told).empty());
  CHECK_FALSE(hellos[1]->documents.encrypted);
}

TEST_CASE_FIXTURE(session_world, "who says nothing of documents takes none") {
  welcome();
  REQUIRE(hellos.size() == 1);
  CHECK_FALSE(hellos[0]->documents.takes_any);
}

TEST_CASE_FIXTURE(session_world, "a digest of documents has 16 bytes or is not there") {
  for (const std::size_t bytes : {1, 8, 15, 17, 32}) {
    auto at = connect();
    say(at, with_documents(hello(), std::string(bytes, 'd')));
    check_refused(at, wire::refusal_protocol, "the digest of the documents must have 16 bytes");
    auto active = welcome();
    say(active, with_documents(sync_request(), std::string(bytes, 'd')));
    check_refused(active, wire::refusal_protocol, "the digest of the documents must have 16 bytes");
  }
  CHECK(standings.empty());
}

TEST_CASE_FIXTURE(session_world, "a sync on an open connection compares documents, too: the manifest comes before "
                                 "the plan") {
  auto at = welcome();
  decision.manifest = manifest_of({"sshd"});
  SUBCASE("when nothing else differs") {
    say(at, with_documents(sync_request(), std::string(hash_bytes, 'd')));
    REQUIRE(at.link->sent.size() == 3);
    CHECK(at.link->sent[2].sync_plan().wanted_size() == 0);
    CHECK(outcomes.size() == 2);
  }
  SUBCASE("when a section is wanted, before that is there") {
    const auto machine = facts("mill");
    say(at, with_documents(sync_request({machine.digest}), std::string(hash_bytes, 'd')));
    REQUIRE(at.link->sent.size() == 3);
    CHECK(at.link->sent[2].sync_plan().wanted_size() == 1);
    say(at, chunk(0, machine));
    CHECK(at.link->last() == says::kSyncDone);
  }
  CHECK(at.link->sent[1].document_manifest().entries(0).name() == "sshd");
  REQUIRE(standings.size() == 1);
  CHECK(standings[0].takes_any);
  CHECK(standings[0].digest[0] == 'd');
  CHECK(children_alive() == 0);
}

TEST_CASE_FIXTURE(session_world, "a new manifest is told at once to who is active, and to nobody else") {
  auto at = welcome();
  self->send(at.session, atom::publish_v, manifest_of({"sshd"}));
  settle();
  REQUIRE(at.link->last() == says::kDocumentManifest);
  CHECK(at.link->sent.back().document_manifest().entries_size() == 1);
  CHECK(alive(at.session));

  silent = true;
  auto waiting = connect();
  say(waiting, hello());
  self->send(waiting.session, atom::publish_v, manifest_of({"sshd"}));
  settle();
  CHECK(waiting.link->sent.empty());
}

TEST_CASE_FIXTURE(session_world, "a link that is full when a manifest is to be told is not kept in the dark: it ends") {
  auto at = welcome();
  at.link->full = true;
  self->send(at.session, atom::publish_v, manifest_of({"sshd"}));
  settle();
  CHECK(at.link->closed);
  CHECK_FALSE(alive(at.session)); // and with the next hello it hears of it
}

// -- requests -------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(session_world, "documents that are asked for come in parts, in order, and the end is marked") {
  auto at = welcome();
  const std::string large(2 * net::limits::chunk_bytes_max + 100, 'x');
  parcels = {parcel("a", "small"), parcel("b", large), parcel("c", "")};
  parcels[0].base.fill(4);
  parcels[2].gone = true;
  auto asks = request({"a", "b", "c"});
  asks.mutable_documents_request()->mutable_wishes(0)->set_have(std::string(hash_bytes, '\x04'));
  say(at, asks);
  REQUIRE(wishes.size() == 1);
  REQUIRE(wishes[0]->size() == 3);
  CHECK((*wishes[0])[0].name == "a");
  CHECK((*wishes[0])[0].have[0] == 4);
  CHECK((*wishes[0])[1].have == document_hash{});
  REQUIRE(at.link->count(says::kDocumentPart) == 5);
  std::string got;
  for (std::size_t i = 1; i <= 5; ++i) {
    const auto& part = at.link->sent[i].document_part();
    CHECK(part.name() == (i == 1 ? "a" : i == 5 ? "c" : "b"));
    CHECK(part.hash() == std::string(hash_bytes, '\x05'));
    CHECK(part.base() == (i == 1 ? std::string(hash_bytes, '\x04') : ""));
    CHECK(part.last() == (i != 2 && i != 3));
    CHECK(part.end() == (i == 5));
    CHECK(part.gone() == (i == 5));
    CHECK(part.data().size() <= net::limits::chunk_bytes_max);
    got += i > 1 && i < 5 ? part.data() : "";
  }
  CHECK(got == large);
  CHECK(at.link->credit == session_limits::frames_in_flight);
  say(at, request()); // and again
  CHECK(wishes.size() == 2);
  CHECK(alive(at.session));
}

TEST_CASE_FIXTURE(session_world, "one request at a time") {
  auto at = welcome();
  at.link->deliver(request().SerializeAsString());
  at.link->deliver(request().SerializeAsString());
  settle();
  check_refused(at, wire::refusal_protocol, "documents have been asked for already");
  CHECK(wishes.size() == 1);
}

TEST_CASE("a request that is beyond its bounds ends the connection with a sentence") {
  const std::pair<std::string, std::function<void(wire::agent_message&)>> wrong[] = {
    {"a request must name 1 to 256 documents",
     [](auto& m) { m.mutable_documents_request()->clear_wishes(); }},
    {"a request must name 1 to 256 documents",
     [](auto& m) {
       for (int i = 0; i < 256; ++i)
         add_wish(m, "x");
     }},
    {"the name of a document must have 1 to 64 bytes",
     [](auto& m) { add_wish(m, ""); }},
    {"the name of a document must have 1 to 64 bytes",
     [](auto& m) { add_wish(m, std::string(65, 'x')); }},
    {"a kind of document that is none",
     [](auto& m) { add_wish(m, "x").clear_kind(); }},
    {"a kind of document that is none",
     [](auto& m) { add_wish(m, "x").set_kind(static_cast<wire::document_kind>(3)); }},
    {"a document's hash must have 16 bytes", [](auto& m) { add_wish(m, "x").clear_hash(); }},
    {"a document's hash must have 16 bytes",
     [](auto& m) { add_wish(m, "x").set_hash(std::string(17, 'x')); }},
    {"a document's hash must have 16 bytes",
     [](auto& m) { add_wish(m, "x").set_have(std::string(15, 'x')); }},
  };
  for (const auto& [text, change] : wrong) {
    CAPTURE(text);
    session_world world;
    auto at = world.welcome();
    auto message = request();
    change(message);
    world.say(at, message);
    world.check_refused(at, wire::refusal_protocol, text);
    CHECK(world.wishes.empty());
  }
}

TEST_CASE("a request that was cut anywhere is either refused or a smaller request") {
  auto message = request({"a", "sshd"});
  message.mutable_documents_request()->mutable_wishes(1)->set_have(std::string(hash_bytes, 'h'));
  const auto bytes = message.SerializeAsString();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    session_world world;
    auto at = world.welcome();
    at.link->deliver(bytes.substr(0, size));
    world.settle();
    CHECK(at.link->count(says::kRefused) == 1);
    CHECK(world.wishes.empty()); // its length is in front of it
    // What it is made of, cut in the same way: that has no length any more.
    const auto inner = message.documents_request().SerializeAsString();
    wire::documents_request cut;
    if (size > inner.size() || !cut.ParseFromString(inner.substr(0, size)))
      continue;
    std::string problem;
    const auto read = convert::document_wishes_of(cut, problem);
    CHECK(read.has_value() == problem.empty());
    if (read)
      CHECK(read->size() <= 2);
  }
}

TEST_CASE_FIXTURE(session_world, "a directory that is gone sends who asks for documents away, not off") {
  auto at = welcome();
  caf::anon_send_exit(services->directories[0], caf::exit_reason::kill);
  settle();
  say(at, request());
  check_busy(at);
}

TEST_CASE_FIXTURE(session_world, "a device that leaves while its documents are looked for is not answered") {
  auto at = welcome();
  parcels = {parcel("sshd", "x")};
  at.link->deliver(request().SerializeAsString());
  at.link->end();
  settle();
  CHECK(at.link->count(says::kDocumentPart) == 0);
  CHECK_FALSE(alive(at.session));
}
