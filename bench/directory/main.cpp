// What does a registered device cost the directory, in memory and at start?
//
// Everything is what the server runs: a store on RocksDB with the records of a fleet, and
// load_directory. Memory is what the allocator has handed out, before and after.

#include "actors/server/directory.hpp"
#include "bench/cpu.hpp"
#include "bench/figures.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "storage/rocks_store.hpp"
#include "tests/temp_directory.hpp"

#include <muster/assert.hpp>

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>

using namespace muster;

namespace {

constexpr std::size_t shards = 4;
constexpr std::size_t devices_per_batch = 1'000;

/// A fleet like many: names of 10 to 19 bytes, IPv4, a dozen systems, a few versions.
class fleet {
public:
  storage::change_batch next_batch(std::size_t devices) {
    storage::change_batch out;
    for (std::size_t i = 0; i < devices; ++i)
      add_device(out);
    return out;
  }

private:
  std::string bytes(std::size_t count) {
    std::string out(count, '\0');
    for (auto& c : out)
      c = static_cast<char>(random_());
    return out;
  }

  void add_device(storage::change_batch& out) {
    const auto id = bytes(16);
    const auto device = *rules::device_id::from_bytes(id);
    const auto name = (number_ % 3 == 0   ? "web-"
                       : number_ % 3 == 1 ? "desktop-"
                                          : "laptop-berlin-") +
                      std::to_string(100'000 + random_() % 900'000);
    ++number_;
    storage::record::device identity;
    identity.set_id(id);
    identity.set_certificate_sha256(bytes(32));
    identity.set_key_sha256(bytes(32));
    identity.set_certificate_expires_s(1'800'000'000);
    identity.set_fingerprint(bytes(16));
    identity.set_host_name(name);
    identity.set_agent_version("0.1.0");
    identity.set_address("10.20.30.40");
    identity.set_enrolled_ms(1'700'000'000'000);
    identity.set_enrolled_by("0123456789");
    identity.set_certificate(bytes(420));
    storage::record::device_report report;
    report.set_hello_counter(random_() % 100'000);
    report.set_boot_id(bytes(16));
    report.set_host_name(name);
    report.set_os_id("debian");
    report.set_os_name("Debian GNU/Linux " + std::to_string(8 + random_() % 6));
    report.set_os_version(std::to_string(8 + random_() % 6));
    report.set_agent_version("0." + std::to_string(random_() % 10) + ".0");
    report.set_address("10." + std::to_string(random_() % 256) + "." +
                       std::to_string(random_() % 256) + "." + std::to_string(random_() % 256));
    report.set_last_contact_ms(1'750'000'000'000 +
                               static_cast<std::int64_t>(random_() % 1'000'000));
    report.set_last_sync_ms(report.last_contact_ms());
    report.set_last_information_ms(report.last_contact_ms() - 1'000'000);
    for (std::size_t i = 0; i < actors::sections; ++i)
      report.add_digests(bytes(16));
    report.set_uptime_s(random_() % 1'000'000);
    report.set_memory_available_kb(random_() % 64'000'000);
    report.set_disk_free_mb(random_() % 1'000'000);
    report.set_load_milli(static_cast<std::uint32_t>(random_() % 4000));
    report.set_disk_used_percent(static_cast<std::uint32_t>(random_() % 100));
    out.push_back(storage::put(storage::family::devices, storage::keys::device(device.bytes),
                               storage::records::encode(identity)));
    out.push_back(storage::put(storage::family::devices, storage::keys::device_report(device.bytes),
                               storage::records::encode(report)));
  }

  std::mt19937_64 random_{17};
  std::size_t number_ = 0;
};

double bytes_in_use() {
  const auto info = ::mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

} // namespace

/// For how many devices: `bench_directory 1000000`.
int main(int argc, char** argv) {
  const std::size_t devices = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const test::temp_directory directory(".");
  std::error_code ec;
  std::string problem;
  const storage::rocks_options options{.directory = directory.path() / "store"};
  auto db = storage::open_rocks_store(options, ec, problem);
  MUSTER_ASSERT(db != nullptr, "the store can be made");
  fleet records;
  for (std::size_t done = 0; done < devices; done += devices_per_batch) {
    const auto batch = records.next_batch(std::min(devices_per_batch, devices - done));
    ec = db->write({&batch, 1});
    MUSTER_ASSERT(!ec, "the disk has room");
  }
  const auto stored = db->measure(storage::family::devices, {});
  db.reset(); // a start finds the store closed
  const auto before = bytes_in_use();
  db = storage::open_rocks_store(options, ec, problem);
  MUSTER_ASSERT(db != nullptr, "the store can be opened");

  const auto begin = std::chrono::steady_clock::now();
  const auto cpu = bench::read_us(bench::cpu_clock_of_this_thread());
  const auto loaded = actors::load_directory(*db, shards, ec);
  const auto cpu_s = (bench::read_us(bench::cpu_clock_of_this_thread()) - cpu) / 1e6;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  MUSTER_ASSERT(!ec, "the directory can be loaded");
  db.reset(); // what it holds is not the directory's
  const auto in_memory = bytes_in_use() - before;
  std::size_t found = 0;
  for (const auto& shard : loaded)
    found += shard.devices->size();
  MUSTER_ASSERT(found == devices, "everybody is there");

  const auto count = static_cast<double>(devices);
  bench::figures out("directory");
  out.tell("an unconnected device, all in", in_memory / count, "bytes", bench::at_most(450));
  out.tell("devices loaded at start", count, "");
  out.tell("loading a million, CPU", cpu_s * 1e6 / count, "s", bench::at_most(3));
  out.tell("loading a million, elapsed", took.count() * 1e6 / count, "s");
  out.tell("records of a device on disk", static_cast<double>(stored) / count, "bytes");
  return out.exit_code();
}
