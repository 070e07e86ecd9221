// The real spool on the real store, its log cut at many bytes: what a crash of machine and file
// system can leave of the last file written.
#include "storage/rocks_store.hpp"
#include "tests/agent/spool_world.hpp"
#include "tests/temp_directory.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>

using namespace muster;
using namespace muster::test;
namespace fs = std::filesystem;

namespace {

std::unique_ptr<storage::store> open(const fs::path& directory) {
  storage::rocks_options options;
  options.directory = directory;
  options.profile = storage::rocks_options::size::spool;
  std::error_code ec;
  std::string problem;
  auto out = storage::open_rocks_store(options, ec, problem);
  REQUIRE_MESSAGE(out, problem);
  return out;
}

/// The write-ahead log with the highest number: the one being written.
fs::path log_in(const fs::path& directory) {
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.path().extension() == ".log" && entry.path().filename() > newest.filename())
      newest = entry.path();
  REQUIRE_FALSE(newest.empty());
  return newest;
}

constexpr int events = 40;

/// A spool with `events` events, and how long its log was when each of them was answered.
std::vector<std::uintmax_t> write_spool(const fs::path& directory) {
  std::vector<std::uintmax_t> lengths;
  const auto db = open(directory);
  spool_life life{*db};
  for (int i = 0; i < events; ++i) {
    life.raise(std::to_string(i));
    lengths.push_back(fs::file_size(log_in(directory)));
  }
  return lengths;
}

} // namespace

TEST_CASE("a spool whose log is cut at any byte opens and holds every event before the cut, gapless") {
  const temp_directory scratch;
  const auto whole = scratch.path() / "whole";
  const auto lengths = write_spool(whole);
  REQUIRE(std::adjacent_find(lengths.begin(), lengths.end(), std::greater_equal<>{})
          == lengths.end()); // every event made it longer
  const auto log = log_in(whole).filename();
  // Around each commit's end, and at bytes that are nobody's end.
  std::vector<std::uintmax_t> cuts{0, 1};
  for (std::size_t i = 0; i < lengths.size(); i += 3)
    for (const auto cut : {lengths[i] - 1, lengths[i], lengths[i] + 1, lengths[i] + 37})
      cuts.push_back(std::min(cut, lengths.back()));
  for (const auto cut : cuts) {
    const auto copy = scratch.path() / "cut";
    fs::remove_all(copy);
    fs::copy(whole, copy, fs::copy_options::recursive);
    fs::resize_file(copy / log, cut);
    const auto db = open(copy);
    spool_life life{*db};
    const auto found = life.all();
    CHECK(check_gapless(found) == 0);
    const auto safe = std::count_if(lengths.begin(), lengths.end(),
                                    [&](std::uintmax_t length) { return length <= cut; });
    CHECK(std::ssize(found) >= safe);
    for (std::size_t i = 0; i < found.size(); ++i)
      CHECK(found[i].item.text == std::to_string(i));
    life.raise("after the crash");
    CHECK(texts_of(life.all()).back() == "after the crash");
  }
}

TEST_CASE("a spool that was closed in order holds the same after many starts") {
  const temp_directory scratch;
  for (int start = 0; start < 5; ++start) {
    const auto db = open(scratch.path());
    spool_life life{*db};
    life.raise(std::to_string(start));
    CHECK(life.count() == static_cast<std::uint64_t>(start) + 1);
  }
  const auto db = open(scratch.path());
  spool_life life{*db};
  const auto found = life.all();
  REQUIRE(found.size() == 5);
  life.acknowledge({found[3].epoch, 1});
  CHECK(texts_of(life.all()) == std::vector<std::string>{"4"});
}
