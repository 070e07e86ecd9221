#include "apps/load/inventory.hpp"

#include "net/wire/agent.pb.h"

#include <random>

namespace muster::load {

namespace {

constexpr std::uint32_t stock = 400;      // applications known in the fleet
constexpr std::uint32_t installed_percent = 50;
constexpr std::uint32_t services = 40;

std::string facts_of(std::uint32_t number) {
  wire::device_facts facts;
  facts.set_host_name("load-" + std::to_string(number));
  facts.set_os_id("debian");
  facts.set_os_name("Debian GNU/Linux 12 (bookworm)");
  facts.set_os_version("12");
  facts.set_kernel("6.1.0-" + std::to_string(18 + number % 5) + "-amd64");
  facts.set_architecture("x86_64");
  facts.set_cpus(2 + number % 3 * 2);
  facts.set_memory_bytes((4ULL + number % 4 * 4) << 30);
  facts.set_time_zone("Etc/UTC");
  return facts.SerializeAsString();
}

std::string applications_of(std::mt19937_64& random, std::uint32_t changes) {
  wire::applications list;
  for (std::uint32_t i = 0; i < stock; ++i) {
    const auto draw = random() % 100;
    if (draw >= installed_percent)
      continue;
    auto* application = list.add_items();
    // Fixed width, so that the order of creation is the canonical order.
    auto name = std::to_string(1000 + i);
    application->set_name("package-" + name);
    application->set_version("1." + std::to_string(i % 10) + "-" + std::to_string(draw % 3));
    application->set_architecture("amd64");
    application->set_vendor("Maintainer " + std::to_string(i % 37));
    application->set_manager("dpkg");
    application->set_installed_at_s(1700000000 + i * 3600);
    application->set_size_bytes(1024ULL * (100 + i));
  }
  for (std::uint32_t i = 0; i < changes && list.items_size() > 0; ++i) {
    auto* const upgraded = list.mutable_items(static_cast<int>(i) % list.items_size());
    upgraded->set_version(upgraded->version() + "+1");
  }
  return list.SerializeAsString();
}

std::string run_states_of(std::mt19937_64& random) {
  wire::run_states list;
  for (std::uint32_t i = 0; i < services; ++i) {
    auto* state = list.add_items();
    state->set_name("service-" + std::to_string(100 + i) + ".service");
    state->set_kind(wire::run_kind_unit);
    state->set_state(random() % 100 == 0 ? "failed" : "active");
    state->set_since_s(1760000000);
    state->set_processes(1);
    state->set_memory_class_kb(8192);
  }
  return list.SerializeAsString();
}

} // namespace

std::array<std::string, 3> make_inventory(std::uint64_t seed, std::uint32_t number,
                                          std::uint32_t changes) {
  std::mt19937_64 random{seed * 0x9e3779b97f4a7c15ULL + number};
  auto applications = applications_of(random, changes);
  return {facts_of(number), std::move(applications), run_states_of(random)};
}

} // namespace muster::load
