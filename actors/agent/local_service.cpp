#include "actors/agent/local_service.hpp"

#include "actors/agent/limits.hpp"
#include "actors/errc.hpp"

#include <caf/send.hpp>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <utility>

#include <pwd.h>

namespace muster::actors {

namespace {

constexpr std::uint32_t root_user = 0;

std::uint32_t per_second(bool root) {
  return root ? limits::local_root_events_per_second : limits::local_events_per_second;
}

std::uint32_t burst(bool root) {
  return root ? limits::local_root_events_burst : limits::local_events_burst;
}

} // namespace

std::string name_of_local_user(std::uint32_t user) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/etc/passwd", "re"),
                                                             std::fclose);
  if (!file)
    return {};
  char lines[4096];
  passwd entry{};
  passwd* found = nullptr;
  while (::fgetpwent_r(file.get(), &entry, lines, sizeof lines, &found) == 0)
    if (entry.pw_uid == user)
      return entry.pw_name;
  return {};
}

local_service_state::~local_service_state() {
  if (port_)
    port_->close();
}

local_service_actor::behavior_type
local_service_state::make_behavior(local_service_options options, local_service_peers peers) {
  options_ = std::move(options);
  peers_ = std::move(peers);
  std::error_code ec;
  const auto forward = [me = local_service_actor{self_}](const net::local_peer& peer,
                                                         std::string text,
                                                         std::function<void(std::string)> answer) {
    caf::anon_send(me, atom::frame_v,
                   std::make_shared<const local_request>(
                     local_request{peer, std::move(text), std::move(answer)}));
  };
  port_ = options_.open(forward, ec);
  if (!port_)
    spdlog::error("the local socket {} cannot be opened ({}): programs of this machine cannot "
                  "report events",
                  options_.path, ec.message());
  // The port holds us, so we close it ourselves.
  self_->set_exit_handler([this](const caf::exit_msg& stop) {
    if (port_)
      std::exchange(port_, nullptr)->close();
    self_->quit(stop.reason);
  });
  return {
    [this](atom::frame, const local_request_ptr& request) { on_request(request); },
    [this](atom::status) {
      return fmt::format("{} events taken, {} requests refused", events_, refused_);
    },
  };
}

void local_service_state::on_request(const local_request_ptr& request) {
  if (in_progress_ >= limits::local_requests_max)
    return refuse(request, "the agent is busy; try again");
  std::string problem;
  auto order = parse_local_request(request->text, problem);
  if (!order)
    return refuse(request, problem);
  switch (order->what) {
    case local_order::kind::event: return raise(request, std::move(order->event));
    case local_order::kind::status: return tell_status(request);
    case local_order::kind::sync: return sync(request);
    case local_order::kind::wake_test: return test_wake(request);
    case local_order::kind::reload: return reload(request);
  }
}

// -- events ---------------------------------------------------------------------------------------

void local_service_state::raise(const local_request_ptr& request, raised_event event) {
  const auto user = request->peer.user;
  auto& share = share_of(user);
  if (!take_share(share))
    return refuse(request, fmt::format("too many events: {} a second per user",
                                       per_second(user == root_user)));
  event.attributes["local.user"] = share.name;
  event.attributes["local.uid"] = std::to_string(user);
  event.attributes["local.pid"] = std::to_string(request->peer.process);
  ++in_progress_;
  self_
    ->request(peers_.spool, caf::infinite, atom::raise_v,
              std::make_shared<const raised_event>(std::move(event)))
    .then(
      [this, request](caf::ok_atom) {
        --in_progress_;
        ++events_;
        request->answer(local_ok());
      },
      [this, request](const caf::error& why) {
        --in_progress_;
        refuse(request, text_of(why));
      });
}

local_service_state::user_share& local_service_state::share_of(std::uint32_t user) {
  const auto now = self_->clock().now();
  const bool root = user == root_user;
  const auto known = users_.find(user);
  if (known == users_.end()) {
    if (users_.size() >= limits::local_users_max)
      forget_one_user();
    auto called = options_.name_of_user(user);
    if (called.empty())
      called = std::to_string(user);
    return users_[user] = {static_cast<double>(burst(root)), now, std::move(called)};
  }
  auto& share = known->second;
  const auto idle = std::chrono::duration<double>(now - share.seen).count();
  share.events = std::min<double>(burst(root), share.events + idle * per_second(root));
  share.seen = now;
  return share;
}

bool local_service_state::take_share(user_share& share) {
  if (share.events < 1)
    return false;
  share.events -= 1;
  return true;
}

/// Whoever was silent longest has the fullest share to lose: nothing.
void local_service_state::forget_one_user() {
  const auto oldest =
    std::min_element(users_.begin(), users_.end(), [](const auto& a, const auto& b) {
      return a.second.seen < b.second.seen;
    });
  if (oldest != users_.end())
    users_.erase(oldest);
}

// -- status ---------------------------------------------------------------------------------------

void local_service_state::tell_status(const local_request_ptr& request) {
  ++in_progress_;
  const auto failed = [this, request](const caf::error& why) {
    --in_progress_;
    refuse(request, text_of(why));
  };
  self_->request(peers_.connection, caf::infinite, atom::get_v)
    .then(
      [this, request, failed](const connection_report_ptr& report) {
        self_->request(peers_.spool, caf::infinite, atom::count_v)
          .then(
            [this, request, report](std::uint64_t events) {
              --in_progress_;
              tell_status(request, status_of(*report, events));
            },
            failed);
      },
      failed);
}

/// With the applications that are managed, if there is anybody who manages some.
void local_service_state::tell_status(const local_request_ptr& request, local_status status) {
  if (!peers_.keeper)
    return request->answer(status_answer(status));
  ++in_progress_;
  self_->request(peers_.keeper, caf::infinite, atom::collect_v)
    .then(
      [this, request, status](const keeper_report_ptr& report) mutable {
        --in_progress_;
        add_applications(status, report->states);
        request->answer(status_answer(status));
      },
      [this, request](const caf::error& why) {
        --in_progress_;
        refuse(request, text_of(why));
      });
}

local_status local_service_state::status_of(const connection_report& report,
                                            std::uint64_t events) const {
  local_status out;
  out.version = options_.agent_version;
  out.connection = report.state;
  out.events_waiting = events;
  out.server = report.server;
  out.address = report.address;
  out.connected = report.connected;
  out.keep = report.keep;
  out.next_attempt_us = report.next_attempt_us;
  out.last_error = report.last_error;
  out.last_error_us = report.last_error_us;
  out.syncs = report.syncs;
  out.last_sync_us = report.last_sync_us;
  out.next_sync_us = report.next_sync_us;
  out.wake_keys = report.datagram_generation != 0;
  out.wakes = report.wakes;
  out.clock_offset_ms = report.clock_offset_ms;
  out.clock_told_us = report.clock_told_us;
  if (options_.add_figures)
    options_.add_figures(out);
  return out;
}

// -- orders ---------------------------------------------------------------------------------------

bool local_service_state::may_order(const local_request_ptr& request) {
  if (request->peer.user == root_user || request->peer.user == options_.own_user)
    return true;
  refuse(request, "only root and the agent's own user may order that");
  return false;
}

void local_service_state::sync(const local_request_ptr& request) {
  if (!may_order(request))
    return;
  ++in_progress_;
  self_->request(peers_.connection, caf::infinite, atom::sync_v)
    .then(
      [this, request](caf::ok_atom) {
        --in_progress_;
        request->answer(local_ok());
      },
      [this, request](const caf::error& why) {
        --in_progress_;
        refuse(request, text_of(why));
      });
}

void local_service_state::test_wake(const local_request_ptr& request) {
  if (!may_order(request))
    return;
  ++in_progress_;
  self_->request(peers_.connection, caf::infinite, atom::probe_v)
    .then(
      [this, request](const wake_probe& result) {
        --in_progress_;
        request->answer(local_ok(result));
      },
      [this, request](const caf::error& why) {
        --in_progress_;
        refuse(request, text_of(why));
      });
}

void local_service_state::reload(const local_request_ptr& request) {
  if (!may_order(request))
    return;
  if (!options_.reload || !options_.reload())
    return refuse(request, "this agent cannot start anew by itself; restart it");
  request->answer(local_ok());
}

void local_service_state::refuse(const local_request_ptr& request, std::string_view why) {
  ++refused_;
  request->answer(local_error(why));
}

local_service_actor::behavior_type
local_service(local_service_actor::stateful_pointer<local_service_state> self,
              local_service_options options, local_service_peers peers) {
  return self->state.make_behavior(std::move(options), std::move(peers));
}

} // namespace muster::actors
