// How the server is doing: for administrators, for load balancers, for Prometheus; and what it can
// be asked.

#include "actors/rules/device_state.hpp"
#include "actors/rules/device_status.hpp"
#include "actors/server/api/exposition.hpp"
#include "actors/server/api/handlers.hpp"
#include "actors/server/api/openapi.hpp"
#include "actors/server/process_figures.hpp"
#include "net/wire/admin.pb.h"

#include <spdlog/fmt/fmt.h>

#include <vector>

namespace muster::actors::api {

namespace {

using sentences = std::vector<std::string>;

/// A certificate is renewed long before this; then something is wrong.
constexpr std::int64_t certificate_worry_us = std::int64_t{14} * 86'400 * 1'000'000;

/// What is read on a reader's thread.
struct measurement {
  storage::store::space space;
  process_figures process;
};

/// The process only for those who are not anybody: counting its descriptors takes long
/// when there are many sessions.
void measure(const exchange_ptr& x, const std::shared_ptr<gathering>& all,
             const std::shared_ptr<measurement>& out, bool with_process) {
  all->expect();
  x->read(
    [out, with_process](const storage::store& from) {
      out->space = from.measure();
      if (with_process)
        out->process = measure_process();
      return std::error_code{};
    },
    [all] { all->arrive(); });
}

/// What the writer says; the rest of what can be wrong is added by tell_troubles().
void ask_writer(const exchange_ptr& x, const std::shared_ptr<gathering>& all,
                const std::shared_ptr<sentences>& troubles) {
  all->ask<metrics_text>(
    x, x->services->writer,
    [troubles](const metrics_text& text) {
      if (figure(*text, "muster_store_disk_full").value_or(0) > 0)
        troubles->emplace_back("the disk is full: nothing is stored until there is room");
    },
    atom::metrics_v);
}

void tell_troubles(const console_services& services, const storage::store::space& space,
                   sentences& troubles) {
  if (space.free_bytes < services.free_bytes_min)
    troubles.push_back(fmt::format("only {} MB are free on the store's volume",
                                   space.free_bytes / (1024 * 1024)));
  const auto left_us = services.facts.certificate_expires_us - services.now();
  if (services.facts.certificate_expires_us != 0 && left_us < certificate_worry_us)
    troubles.push_back(
      left_us > 0 ? fmt::format("the server's certificate ends in {} hours",
                                left_us / 1'000'000 / 3600)
                  : std::string{"the server's certificate has expired"});
  if (services.troubles)
    for (auto& one : services.troubles())
      troubles.push_back(std::move(one));
}

void fill_facts(const console_services& services, admin::server_status& out) {
  const auto& facts = services.facts;
  out.set_server_id(facts.server_id);
  out.set_version(facts.version);
  out.set_started_us(facts.started_us);
  out.set_now_us(services.now());
  out.set_pin(facts.pin);
  out.set_certificate_expires_us(facts.certificate_expires_us);
}

void add_counts(const device_counts& counts, admin::server_status& out) {
  out.set_devices(out.devices() + counts.total);
  auto& by_state = *out.mutable_devices_by_state();
  for (std::size_t i = 0; i < counts.by_state.size(); ++i)
    by_state[std::string{rules::name_of(static_cast<rules::device_state>(i))}] +=
      counts.by_state[i];
  auto& by_status = *out.mutable_devices_by_status();
  for (std::size_t i = 0; i < counts.by_status.size(); ++i)
    by_status[std::string{rules::name_of(static_cast<rules::device_status>(i))}] +=
      counts.by_status[i];
}

void fill_census(const census& living, admin::server_status& out) {
  out.mutable_actors_by_stage()->insert(living.by_stage.begin(), living.by_stage.end());
  out.mutable_port_restarts()->insert(living.restarts.begin(), living.restarts.end());
}

} // namespace

void show_server(const exchange_ptr& x) {
  const auto out = std::make_shared<admin::server_status>();
  const auto measured = std::make_shared<measurement>();
  const auto troubles = std::make_shared<sentences>();
  const auto all = gather([=] {
    fill_facts(*x->services, *out);
    out->set_store_used_bytes(measured->space.used_bytes);
    out->set_store_free_bytes(measured->space.free_bytes);
    out->set_resident_bytes(measured->process.resident_bytes);
    out->set_cpu_seconds(measured->process.cpu_seconds);
    tell_troubles(*x->services, measured->space, *troubles);
    for (auto& one : *troubles)
      out->add_troubles(std::move(one));
    x->reply(200, *out);
  });
  for (const auto& shard : x->services->directories)
    all->ask<device_counts>(
      x, shard, [out](const device_counts& counts) { add_counts(counts, *out); }, atom::count_v);
  all->ask<census_ptr>(
    x, x->root, [out](const census_ptr& living) { fill_census(*living, *out); }, atom::census_v);
  all->ask<std::uint16_t>(
    x, x->root, [out](std::uint16_t port) { out->set_agents_port(port); }, atom::bound_v,
    door::agents_tls);
  all->ask<std::uint16_t>(
    x, x->root, [out](std::uint16_t port) { out->set_agents_plain_port(port); }, atom::bound_v,
    door::agents_plain);
  all->ask<std::uint16_t>(
    x, x->root, [out](std::uint16_t port) { out->set_admin_port(port); }, atom::bound_v,
    door::admin);
  ask_writer(x, all, troubles);
  measure(x, all, measured, true);
  all->arrive();
}

void show_openapi(const exchange_ptr& x) {
  x->reply(text(200, "application/json", openapi_document(x->services->facts.version)));
}

void show_health(const exchange_ptr& x) {
  const auto measured = std::make_shared<measurement>();
  const auto troubles = std::make_shared<sentences>();
  const auto all = gather([=] {
    tell_troubles(*x->services, measured->space, *troubles);
    std::string lines;
    for (const auto& one : *troubles)
      lines += one + "\n";
    x->reply(text(troubles->empty() ? 200 : 503, "text/plain; charset=utf-8",
                  troubles->empty() ? "ok\n" : lines));
  });
  ask_writer(x, all, troubles);
  measure(x, all, measured, false);
  all->arrive();
}

void show_metrics(const exchange_ptr& x) {
  const auto measured = std::make_shared<measurement>();
  const auto shares = std::make_shared<std::string>();
  const auto all = gather([=] {
    *shares += exposition_of(measured->process, x->services->facts.started_us);
    x->reply(text(200, "text/plain; version=0.0.4; charset=utf-8", exposition(*shares)));
  });
  all->ask<metrics_text>(
    x, x->root, [shares](const metrics_text& text) { *shares += *text; }, atom::metrics_v);
  measure(x, all, measured, true);
  all->arrive();
}

} // namespace muster::actors::api
