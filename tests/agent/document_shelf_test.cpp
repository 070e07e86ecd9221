// What the agent holds, and what it takes from its server.
#include "actors/agent/document_shelf.hpp"
#include "tests/agent/settings_machine.hpp"

using namespace muster;
using namespace muster::test;

namespace {

/// As the keeper does it, with a disk that is always well.
struct shelf_on_disk {
  document_shelf shelf;
  std::map<std::string, std::string> disk;

  void write(const storage::change_batch& changes) {
    for (const auto& change : changes) {
      CHECK(change.where == storage::family::inventory);
      if (change.what == storage::change::kind::put)
        disk[change.key] = change.value;
      else
        disk.erase(change.key);
    }
  }
  document_wishes want(const std::vector<made_document>& documents) {
    auto change = shelf.compare(*manifest_of(documents));
    write(change.on_disk);
    shelf.settle(change);
    return change.wishes;
  }
  std::string take(const document_parcel& parcel) {
    std::string problem;
    if (auto taken = shelf.open(parcel, problem)) {
      write({document_shelf::put(*taken)});
      shelf.place(std::move(*taken));
      return "taken";
    }
    return problem.empty() ? "ignored" : problem;
  }
  [[nodiscard]] document_shelf restarted() const {
    document_shelf out;
    for (const auto& [key, value] : disk)
      CHECK(out.restore(key, value));
    return out;
  }
};

const auto first = policy("sshd", 7, "{PermitRootLogin: false, Port: 22}", {"PermitRootLogin"});
const auto second = policy("sshd", 8, "{PermitRootLogin: false, Port: 2222}", {"PermitRootLogin"});
const auto ours = own_settings("sshd", 3, "{Banner: none}");

wire::server_message parts_of(const document_parcel& parcel, bool end) {
  wire::server_message out;
  auto& part = *out.mutable_document_part();
  part.set_kind(static_cast<wire::document_kind>(parcel.kind));
  part.set_name(parcel.name);
  part.set_hash(parcel.hash.data(), parcel.hash.size());
  if (parcel.base != document_hash{})
    part.set_base(parcel.base.data(), parcel.base.size());
  part.set_data(parcel.data);
  part.set_last(true);
  part.set_end(end);
  return out;
}

} // namespace

TEST_CASE("once everything of a manifest is there the digest is the server's") {
  shelf_on_disk it;
  const std::vector<made_document> all{first, ours};
  const auto wishes = it.want(all);
  REQUIRE(wishes.size() == 2);
  CHECK(wishes[0].have == document_hash{});
  CHECK(it.shelf.digest() != manifest_of(all)->digest);
  CHECK(it.take(first.parcel()) == "taken");
  CHECK(it.shelf.digest() != manifest_of(all)->digest);
  CHECK(it.take(ours.parcel()) == "taken");
  CHECK(it.shelf.digest() == manifest_of(all)->digest);
  CHECK(it.restarted().digest() == it.shelf.digest());
  CHECK(it.want(all).empty());
  CHECK(it.shelf.applications() == std::vector<std::string>{"sshd"});
}

TEST_CASE("what a manifest does not name is forgotten, on the disk too") {
  shelf_on_disk it;
  it.want({first, ours});
  it.take(first.parcel());
  it.take(ours.parcel());
  CHECK(it.want({ours}).empty());
  CHECK(it.disk.size() == 1);
  CHECK(it.shelf.find(document_kind::settings, "sshd") == nullptr);
  CHECK(it.shelf.digest() == manifest_of({ours})->digest);
  it.want({});
  CHECK(it.disk.empty());
  CHECK(it.restarted().digest() == manifest_of({})->digest);
}

TEST_CASE("the same content under another revision is not fetched, and its revision is remembered") {
  shelf_on_disk it;
  it.want({first});
  it.take(first.parcel());
  auto again = first;
  again.revision = 9;
  CHECK(it.want({again}).empty());
  CHECK(it.shelf.digest() == manifest_of({again})->digest);
  CHECK(it.restarted().find(document_kind::settings, "sshd")->revision == 9);
}

TEST_CASE("a change travels as a patch of what is held") {
  shelf_on_disk it;
  it.want({first});
  it.take(first.parcel());
  const auto wishes = it.want({second});
  REQUIRE(wishes.size() == 1);
  CHECK(wishes[0].have == first.hash);
  CHECK(it.take(second.patch_of(first)) == "taken");
  CHECK(it.shelf.find(document_kind::settings, "sshd")->content == second.content);
}

TEST_CASE("what is not what it says is refused, and nothing changes") {
  shelf_on_disk it;
  it.want({first});
  it.take(first.parcel());
  it.want({second});
  const auto before = it.disk;
  SUBCASE("a patch of something that is not here") {
    auto wrong = second.patch_of(second);
    CHECK(it.take(wrong) == "it is a patch of a version that is not here");
  }
  SUBCASE("a patch that gives something else") {
    auto wrong = first.patch_of(first);
    wrong.hash = second.hash;
    CHECK(it.take(wrong) == "it is not what its hash says");
  }
  SUBCASE("other content than its hash") {
    auto wrong = second.parcel();
    wrong.data = storage::compress(first.content);
    CHECK(it.take(wrong) == "it is not what its hash says");
  }
  SUBCASE("bytes that are no settings") {
    const std::string nonsense = "nonsense";
    made_document bad{document_kind::settings, "sshd", 9, nonsense, net::section_digest_of(nonsense)};
    it.want({bad});
    CHECK(it.take(bad.parcel()) != "taken");
  }
  SUBCASE("a bomb") {
    auto wrong = second.parcel();
    wrong.data = storage::compress(std::string(8'000'000, '\0'));
    CHECK(it.take(wrong).starts_with("it cannot be unpacked"));
  }
  SUBCASE("every truncation") {
    for (const auto& whole : {second.parcel(), second.patch_of(first)})
      for (std::size_t size = 0; size < whole.data.size(); ++size) {
        auto cut = whole;
        cut.data.resize(size);
        CHECK(it.take(cut) != "taken");
      }
  }
  CHECK(it.disk == before);
}

TEST_CASE("what nobody wants any more is ignored") {
  shelf_on_disk it;
  it.want({second});
  CHECK(it.take(first.parcel()) == "ignored");
  CHECK(it.take(ours.parcel()) == "ignored");
  auto gone = second.parcel();
  gone.gone = true;
  CHECK(it.take(gone) == "ignored");
  CHECK(it.disk.empty());
}

TEST_CASE("a record of the disk that is damaged is not held") {
  shelf_on_disk it;
  it.want({first});
  it.take(first.parcel());
  const auto [key, value] = *it.disk.begin();
  document_shelf other;
  for (std::size_t size = 0; size < value.size(); ++size)
    CHECK_FALSE(other.restore(key, value.substr(0, size)));
  CHECK_FALSE(other.restore(key + "x", value));
  auto flipped = value;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  CHECK_FALSE(other.restore(key, flipped));
  CHECK(other.restore(key, value));
}

TEST_CASE("a manifest that breaks a rule is refused by name; unknown kinds are passed over") {
  wire::document_manifest wire;
  fill(wire, *manifest_of({first, ours}));
  std::string problem;
  REQUIRE(manifest_from(wire, problem));
  CHECK(manifest_from(wire, problem)->digest == manifest_of({first, ours})->digest);
  auto later = wire;
  auto& unknown = *later.add_entries();
  unknown = wire.entries(1);
  unknown.set_kind(static_cast<wire::document_kind>(9));
  CHECK(manifest_from(later, problem)->entries.size() == 2);
  auto wrong = wire;
  wrong.mutable_entries()->SwapElements(0, 1);
  CHECK_FALSE(manifest_from(wrong, problem));
  CHECK(problem == "the documents are not in order, each once");
  wrong = wire;
  wrong.mutable_entries(0)->set_hash("short");
  CHECK_FALSE(manifest_from(wrong, problem));
  wrong.Clear();
  for (int i = 0; i < 257; ++i) {
    auto& entry = *wrong.add_entries();
    entry = wire.entries(0);
    entry.set_name("a" + std::to_string(1000 + i));
  }
  CHECK_FALSE(manifest_from(wrong, problem));
  CHECK(problem == "more than 256 documents");
}

TEST_CASE("a manifest and a part that are cut anywhere are refused, or say something else") {
  wire::server_message message;
  fill(*message.mutable_document_manifest(), *manifest_of({first, ours}));
  const auto whole = message.SerializeAsString();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    wire::server_message cut;
    std::string problem;
    if (!cut.ParseFromString(whole.substr(0, size)) || !cut.has_document_manifest())
      continue;
    const auto taken = manifest_from(cut.document_manifest(), problem);
    CHECK((!taken || taken->digest != manifest_of({first, ours})->digest));
  }
  const auto part = parts_of(second.patch_of(first), true).SerializeAsString();
  for (std::size_t size = 0; size < part.size(); ++size) {
    wire::server_message cut;
    std::string problem;
    if (!cut.ParseFromString(part.substr(0, size)) || !cut.has_document_part())
      continue;
    shelf_on_disk it;
    it.want({first});
    it.take(first.parcel());
    const auto wishes = it.want({second});
    parcel_maker maker{wishes};
    const auto verdict = maker.add(cut.document_part(), problem);
    const bool ended = cut.document_part().last() && verdict == parcel_maker::verdict::whole;
    if (ended) // only `end`, behind all that counts, may be missing
      CHECK(size + 2 >= part.size());
    CHECK((verdict != parcel_maker::verdict::broken || !problem.empty()));
  }
}

TEST_CASE("parts are put together, and only those of documents that were asked for") {
  document_wishes asked{{first.kind, first.name, first.hash, {}}, {ours.kind, ours.name, ours.hash, {}}};
  std::string problem;
  const auto whole = first.parcel();
  auto message = parts_of(whole, false);
  auto& part = *message.mutable_document_part();
  SUBCASE("in order") {
    parcel_maker maker{asked};
    for (std::size_t at = 0; at < whole.data.size(); ++at) {
      part.set_data(whole.data.substr(at, 1));
      part.set_last(at + 1 == whole.data.size());
      const auto verdict = maker.add(part, problem);
      CHECK(verdict == (part.last() ? parcel_maker::verdict::whole : parcel_maker::verdict::more));
      CHECK(maker.open() == !part.last());
    }
    CHECK(maker.take().data == whole.data);
    CHECK(maker.missing().size() == 1);
    CHECK(maker.add(part, problem) == parcel_maker::verdict::ignored); // twice
  }
  SUBCASE("not asked for") {
    parcel_maker maker{{asked[1]}};
    CHECK(maker.add(part, problem) == parcel_maker::verdict::ignored);
  }
  SUBCASE("mixed") {
    parcel_maker maker{asked};
    part.set_last(false);
    CHECK(maker.add(part, problem) == parcel_maker::verdict::more);
    const auto other = parts_of(ours.parcel(), true);
    CHECK(maker.add(other.document_part(), problem) == parcel_maker::verdict::broken);
    CHECK(problem == "the parts of two documents are mixed");
  }
  SUBCASE("a patch of what we do not have") {
    parcel_maker maker{asked};
    part.set_base(std::string(16, 'x'));
    CHECK(maker.add(part, problem) == parcel_maker::verdict::broken);
  }
  SUBCASE("without end") {
    parcel_maker maker{asked};
    part.set_last(false);
    part.set_data(std::string(256 * 1024, 'x'));
    auto verdict = parcel_maker::verdict::more;
    int sent = 0;
    for (; verdict == parcel_maker::verdict::more && sent < 100; ++sent)
      verdict = maker.add(part, problem);
    CHECK(verdict == parcel_maker::verdict::broken);
    CHECK(sent == 5);
  }
}
