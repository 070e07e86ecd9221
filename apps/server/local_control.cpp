#include "apps/server/local_control.hpp"

#include "actors/errc.hpp"
#include "actors/server/process_figures.hpp"
#include "apps/common/clock.hpp"
#include "net/local_socket.hpp"

#include <muster/version.hpp>

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <utility>

namespace muster::server {

namespace {

using json = nlohmann::json;
using actors::door;
using answer_function = std::function<void(std::string)>;

constexpr std::array doors{std::pair{"agents", door::agents_tls},
                           std::pair{"plain", door::agents_plain}, std::pair{"admin", door::admin},
                           std::pair{"notices", door::notices}, std::pair{"wakes", door::wakes}};

struct passwd_order {
  std::string user;
  std::string password;
};

std::optional<passwd_order> passwd_of(const json& order) {
  const auto user = order.find("user");
  const auto password = order.find("password");
  if (user == order.end() || password == order.end() || !user->is_string() ||
      !password->is_string())
    return std::nullopt;
  return passwd_order{user->get<std::string>(), password->get<std::string>()};
}

std::string text_of(const json& answer) {
  return answer.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string refusal(std::string_view why) {
  return text_of({{"ok", false}, {"error", why}});
}

/// Asks, passes the answer on, ends.
void change_password(caf::event_based_actor* self, const actors::accounts_actor& accounts,
                     passwd_order order, answer_function answer) {
  self->request(accounts, caf::infinite, atom::passwd_v, order.user, order.password)
    .then(
      [answer, user = order.user](bool known) {
        answer(known ? json{{"ok", true}}.dump() : refusal("there is no user '" + user + "'"));
      },
      [answer](const caf::error& why) { answer(refusal(actors::text_of(why))); });
}

/// What is gathered; the last one who lets go of it gives the answer.
struct gathering {
  explicit gathering(answer_function to) : answer(std::move(to)) {
    const auto process = actors::measure_process();
    report = {{"ok", true},
              {"version", version()},
              {"now_us", now_us()},
              {"descriptors_max", process.descriptors_max},
              {"descriptors_open", process.open_descriptors},
              {"ports", json::object()}};
  }
  ~gathering() { answer(text_of(report)); }
  gathering(const gathering&) = delete;
  gathering& operator=(const gathering&) = delete;

  answer_function answer;
  json report;
};

/// A question that fails leaves its part out: who reads it says that it is missing.
void gather_report(caf::event_based_actor* self, const actors::server_root_actor& root,
                   answer_function answer) {
  const auto all = std::make_shared<gathering>(std::move(answer));
  for (const auto& [name, which] : doors)
    self->request(root, caf::infinite, atom::bound_v, which)
      .then([all, name = name](std::uint16_t port) { all->report["ports"][name] = port; },
            [all](const caf::error&) {});
  self->request(root, caf::infinite, atom::metrics_v)
    .then([all](const actors::metrics_text& text) { all->report["figures"] = figures_of(*text); },
          [all](const caf::error&) {});
}

/// On the consoles' io thread, as everything that concerns keys: it waits for the disk.
std::string rotate(const local_services& services, bool force) {
  std::string problem;
  const auto secrets = services.rotate(force, problem);
  if (!secrets)
    return refusal(problem);
  return text_of({{"ok", true},
                  {"newest", secrets->newest.generation},
                  {"previous", secrets->previous ? secrets->previous->generation : 0}});
}

void serve(caf::actor_system& system, const local_services& services, const std::string& message,
           answer_function answer) {
  const auto order = json::parse(message, nullptr, false);
  const auto what = order.is_object() ? order.value("do", json{}) : json{};
  if (what == "passwd") {
    if (auto passwd = passwd_of(order)) {
      system.spawn(change_password, services.accounts, std::move(*passwd), std::move(answer));
      return;
    }
  } else if (what == "status") {
    const auto root = caf::actor_cast<actors::server_root_actor>(
      caf::actor_cast<caf::strong_actor_ptr>(services.root));
    if (!root)
      return answer(refusal("the server is stopping"));
    system.spawn(gather_report, root, std::move(answer));
    return;
  }
  if (what == "rotate-datagram-keys" && services.rotate)
    return answer(rotate(services, order.value("force", json{}) == true));
  answer(refusal("this is no request that the server knows"));
}

/// The answer to a request; empty with a sentence.
std::optional<std::string> ask(const std::filesystem::path& directory, const json& request,
                               std::string& problem) {
  return net::ask_local(directory / local_socket_file, text_of(request), std::chrono::seconds{10},
                        problem);
}

std::string error_of(const json& answer) {
  if (!answer.is_object())
    return "the server's answer is not understood";
  const auto error = answer.find("error");
  return error != answer.end() && error->is_string() ? error->get<std::string>()
                                                     : "the server refused";
}

bool is_good(const json& answer) {
  return answer.is_object() && answer.value("ok", json{}) == true;
}

template <class Number>
Number number_in(const json& from, const char* name) {
  const auto found = from.find(name);
  return found != from.end() && found->is_number() ? found->get<Number>() : Number{};
}

template <class Number>
void numbers_in(const json& from, const char* name, std::map<std::string, Number>& out) {
  const auto found = from.find(name);
  if (found == from.end() || !found->is_object())
    return;
  for (const auto& [key, value] : found->items())
    if (value.is_number())
      out[key] = value.template get<Number>();
}

} // namespace

std::shared_ptr<net::local_port> open_local_control(caf::actor_system& system, net::io_pool& pool,
                                                    const std::filesystem::path& directory,
                                                    local_services services, std::error_code& ec) {
  return net::local_port::open(
    pool, {.path = directory / local_socket_file, .mode = 0600, .connections_max = 8},
    [&system, services = std::move(services)](const net::local_peer&, const std::string& message,
                                              answer_function answer) {
      serve(system, services, message, std::move(answer));
    },
    ec);
}

bool ask_for_password(const std::filesystem::path& directory, std::string_view user,
                      std::string_view password, std::string& problem) {
  const auto text =
    ask(directory, {{"do", "passwd"}, {"user", user}, {"password", password}}, problem);
  if (!text)
    return false;
  const auto answer = json::parse(*text, nullptr, false);
  if (is_good(answer))
    return true;
  problem = error_of(answer);
  return false;
}

std::map<std::string, double> figures_of(std::string_view metrics) {
  std::map<std::string, double> out;
  while (!metrics.empty()) {
    const auto line = metrics.substr(0, metrics.find('\n'));
    metrics.remove_prefix(std::min(line.size() + 1, metrics.size()));
    const auto name = line.substr(0, line.find_first_of("{ "));
    const auto space = line.rfind(' ');
    if (name.empty() || name.front() == '#' || space == std::string_view::npos)
      continue;
    const std::string value{line.substr(space + 1)};
    char* end = nullptr;
    const double number = std::strtod(value.c_str(), &end);
    if (end != value.c_str() && *end == '\0')
      out[std::string{name}] += number;
  }
  return out;
}

std::optional<server_report> parse_server_report(std::string_view text) {
  const auto answer = json::parse(text, nullptr, false);
  if (!is_good(answer) || !answer.value("version", json{}).is_string())
    return std::nullopt;
  server_report out;
  out.version = answer["version"].get<std::string>();
  out.now_us = number_in<std::int64_t>(answer, "now_us");
  out.descriptors_max = number_in<std::uint64_t>(answer, "descriptors_max");
  out.descriptors_open = number_in<std::uint64_t>(answer, "descriptors_open");
  numbers_in(answer, "ports", out.ports);
  numbers_in(answer, "figures", out.figures);
  return out;
}

namespace {

/// One question, its answer a document that says ok.
asked ask_running(const std::filesystem::path& directory, const json& request, std::string& text,
                  std::string& problem) {
  std::error_code ec;
  if (!net::connect_local(directory / local_socket_file, std::chrono::seconds{10}, ec)) {
    const bool nobody =
      ec == std::errc::no_such_file_or_directory || ec == std::errc::connection_refused;
    problem =
      nobody ? "it is not running" : (directory / local_socket_file).string() + ": " + ec.message();
    return nobody ? asked::not_running
                  : (ec == std::errc::permission_denied ? asked::not_allowed : asked::failed);
  }
  auto said = ask(directory, request, problem);
  if (!said)
    return asked::failed;
  text = *std::move(said);
  const auto answer = json::parse(text, nullptr, false);
  if (is_good(answer))
    return asked::answered;
  problem = error_of(answer);
  return asked::failed;
}

} // namespace

asked ask_for_report(const std::filesystem::path& directory, server_report& out,
                     std::string& problem) {
  std::string text;
  const auto how = ask_running(directory, {{"do", "status"}}, text, problem);
  if (how != asked::answered)
    return how;
  auto report = parse_server_report(text);
  if (!report) {
    problem = "the server's answer is not understood";
    return asked::failed;
  }
  out = std::move(*report);
  return asked::answered;
}

asked ask_for_rotation(const std::filesystem::path& directory, bool force, std::uint32_t& newest,
                       std::uint32_t& previous, std::string& problem) {
  std::string text;
  const auto how =
    ask_running(directory, {{"do", "rotate-datagram-keys"}, {"force", force}}, text, problem);
  if (how != asked::answered)
    return how;
  const auto answer = json::parse(text, nullptr, false);
  newest = number_in<std::uint32_t>(answer, "newest");
  previous = number_in<std::uint32_t>(answer, "previous");
  return asked::answered;
}

} // namespace muster::server
