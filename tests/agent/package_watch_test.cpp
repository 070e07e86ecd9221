#include "actors/agent/package_watch.hpp"

#include "actors/agent/probe/dpkg.hpp"
#include "net/wire/agent.pb.h"
#include "tests/system/process.hpp"
#include "tests/temp_directory.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace muster::actors {

namespace {

using namespace std::chrono_literals;

/// A package database that a test changes as dpkg does, and what the watch says of it.
class watched_folder {
public:
  watched_folder() { std::filesystem::create_directories(dpkg()); }

  [[nodiscard]] const std::filesystem::path& root() const { return root_.path(); }
  [[nodiscard]] std::filesystem::path dpkg() const { return root_.path() / "var/lib/dpkg"; }

  package_watch_options options() const {
    return {.root = root_.path(), .quiet = 50ms, .latest = 60s};
  }

  package_watch::callbacks callbacks() {
    return {.changed =
              [this] {
                const std::lock_guard guard{mutex_};
                ++changes_;
                told_.notify_all();
              },
            .broken =
              [this](std::error_code why, const std::string& text) {
                const std::lock_guard guard{mutex_};
                why_ = why;
                broken_ = text;
                told_.notify_all();
              }};
  }

  /// dpkg writes the whole file anew and renames it to its place.
  void replace_status(const std::string& text = "Package: x\n\n") const {
    std::ofstream{dpkg() / "status-new"} << text;
    std::filesystem::rename(dpkg() / "status-new", dpkg() / "status");
  }

  /// Whether that many changes have been told within the time.
  bool changes_reach(unsigned count, std::chrono::milliseconds time = 20s) {
    std::unique_lock lock{mutex_};
    return told_.wait_for(lock, time, [&] { return changes_ >= count; });
  }
  unsigned changes() {
    const std::lock_guard guard{mutex_};
    return changes_;
  }
  std::string broken() {
    std::unique_lock lock{mutex_};
    told_.wait_for(lock, 20s, [&] { return !broken_.empty(); });
    return broken_;
  }

private:
  test::temp_directory root_;
  std::mutex mutex_;
  std::condition_variable told_;
  unsigned changes_ = 0;
  std::error_code why_;
  std::string broken_;
};

} // namespace

TEST_CASE("a package database replaced by rename is told once it is quiet, not after the longest wait") {
  watched_folder folder;
  net::io_pool pool{1};
  package_watch watch{pool.next_lane(), folder.options(), folder.callbacks()};
  REQUIRE(folder.changes_reach(1)); // it stands
  folder.replace_status();
  CHECK(folder.changes_reach(2));
  folder.replace_status();
  CHECK(folder.changes_reach(3));
}

TEST_CASE("a burst of changes is one message, when it is over") {
  watched_folder folder;
  net::io_pool pool{1};
  auto options = folder.options();
  options.quiet = 3s; // far longer than the burst takes
  package_watch watch{pool.next_lane(), options, folder.callbacks()};
  REQUIRE(folder.changes_reach(1));
  for (int i = 0; i < 50; ++i)
    folder.replace_status();
  CHECK(folder.changes() == 1);
  REQUIRE(folder.changes_reach(2));
  // Had there been more messages for the burst, they would come before the next change's.
  folder.replace_status();
  REQUIRE(folder.changes_reach(3));
  CHECK(folder.changes() == 3);
}

TEST_CASE("changes that never pause are told all the same, after the longest wait") {
  watched_folder folder;
  net::io_pool pool{1};
  auto options = folder.options();
  options.quiet = 60s;
  options.latest = 200ms;
  package_watch watch{pool.next_lane(), options, folder.callbacks()};
  REQUIRE(folder.changes_reach(1));
  const auto begin = std::chrono::steady_clock::now();
  while (!folder.changes_reach(2, 5ms) && std::chrono::steady_clock::now() - begin < 30s)
    folder.replace_status();
  CHECK(folder.changes() >= 2);
}

TEST_CASE("what dpkg itself does is told, and the list is complete by then") {
  if (::geteuid() != 0 || !std::filesystem::exists("/usr/bin/dpkg-deb"))
    return; // dpkg unpacks as root only
  watched_folder folder;
  for (const auto* name : {"info", "updates"})
    std::filesystem::create_directories(folder.dpkg() / name);
  for (const auto* name : {"status", "available"})
    std::ofstream{folder.dpkg() / name};
  test::temp_directory work;
  const auto dpkg = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"/usr/bin/dpkg", "--root=" + folder.root().string()});
    const auto done = test::run(std::move(arguments));
    REQUIRE_MESSAGE(done.exit_code == 0, done.output);
  };
  const auto build = [&](const std::string& version) {
    const auto tree = work.path() / version;
    std::filesystem::create_directories(tree / "DEBIAN");
    std::ofstream{tree / "DEBIAN/control"}
      << "Package: made-up\nVersion: " << version
      << "\nArchitecture: all\nMaintainer: nobody <n@o.invalid>\n"
         "Description: nothing\n";
    const auto file = work.path() / (version + ".deb");
    const auto done = test::run({"/usr/bin/dpkg-deb", "--build", tree.string(), file.string()});
    REQUIRE_MESSAGE(done.exit_code == 0, done.output);
    return file.string();
  };
  const auto versions = [&] {
    std::string out;
    wire::applications list;
    if (probe::read_applications(folder.root(), list))
      for (const auto& item : list.items())
        out += item.name() + " " + item.version() + ";";
    return out;
  };
  const auto first = build("1.0");
  const auto second = build("2.0");

  net::io_pool pool{1};
  auto options = folder.options();
  options.quiet = 500ms; // as in production
  package_watch watch{pool.next_lane(), options, folder.callbacks()};
  REQUIRE(folder.changes_reach(1));
  dpkg({"--install", first});
  REQUIRE(folder.changes_reach(2));
  CHECK(versions() == "made-up 1.0;");
  dpkg({"--install", second});
  REQUIRE(folder.changes_reach(3));
  CHECK(versions() == "made-up 2.0;");
  dpkg({"--purge", "made-up"});
  REQUIRE(folder.changes_reach(4));
  CHECK(versions().empty());
}

TEST_CASE("other files of the package database are nobody's business") {
  watched_folder folder;
  net::io_pool pool{1};
  package_watch watch{pool.next_lane(), folder.options(), folder.callbacks()};
  REQUIRE(folder.changes_reach(1));
  std::ofstream{folder.dpkg() / "available"} << "x";
  std::ofstream{folder.dpkg() / "status-old"} << "x";
  CHECK_FALSE(folder.changes_reach(2, 200ms));
}

TEST_CASE("a status file written in place is seen too") {
  watched_folder folder;
  folder.replace_status();
  net::io_pool pool{1};
  package_watch watch{pool.next_lane(), folder.options(), folder.callbacks()};
  REQUIRE(folder.changes_reach(1));
  std::ofstream{folder.dpkg() / "status"} << "Package: y\n\n";
  CHECK(folder.changes_reach(2));
}

TEST_CASE("a machine without a package database says so once") {
  watched_folder folder;
  std::filesystem::remove_all(folder.dpkg());
  net::io_pool pool{1};
  package_watch watch{pool.next_lane(), folder.options(), folder.callbacks()};
  CHECK(folder.broken().find("cannot watch " + folder.dpkg().string()) == 0);
  CHECK(folder.changes() == 0);
}

TEST_CASE("a package database that is taken away is told") {
  watched_folder folder;
  net::io_pool pool{1};
  package_watch watch{pool.next_lane(), folder.options(), folder.callbacks()};
  REQUIRE(folder.changes_reach(1));
  SUBCASE("removed") {
    std::filesystem::remove_all(folder.dpkg());
  }
  SUBCASE("moved") {
    std::filesystem::rename(folder.dpkg(), folder.dpkg().parent_path() / "elsewhere");
  }
  CHECK(folder.broken().find("was taken away") != std::string::npos);
}

TEST_CASE("a watch may end before or after its io threads") {
  watched_folder folder;
  SUBCASE("before") {
    net::io_pool pool{1};
    {
      package_watch watch{pool.next_lane(), folder.options(), folder.callbacks()};
      REQUIRE(folder.changes_reach(1));
      folder.replace_status();
    }
    pool.join(); // what was posted has run: nothing was told after the end
    CHECK(folder.changes() == 1);
  }
  SUBCASE("after") {
    auto pool = std::make_unique<net::io_pool>(1);
    package_watch watch{pool->next_lane(), folder.options(), folder.callbacks()};
    REQUIRE(folder.changes_reach(1));
    folder.replace_status();
    pool.reset();
  }
  SUBCASE("at once") {
    net::io_pool pool{1};
    package_watch{pool.next_lane(), folder.options(), folder.callbacks()};
  }
}

} // namespace muster::actors
