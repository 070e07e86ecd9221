#include "apps/server/local_control.hpp"

#include "actors/errc.hpp"

#include <caf/event_based_actor.hpp>

#include <nlohmann/json.hpp>

#include <optional>
#include <utility>

namespace muster::server {

namespace {

using json = nlohmann::json;
using answer_function = std::function<void(std::string)>;

struct passwd_order {
  std::string user;
  std::string password;
};

std::optional<passwd_order> parse_order(const std::string& text) {
  const auto order = json::parse(text, nullptr, false);
  if (!order.is_object() || order.value("do", json{}) != "passwd")
    return std::nullopt;
  const auto user = order.find("user");
  const auto password = order.find("password");
  if (user == order.end() || password == order.end() || !user->is_string()
      || !password->is_string())
    return std::nullopt;
  return passwd_order{user->get<std::string>(), password->get<std::string>()};
}

std::string refusal(std::string_view why) {
  return json{{"ok", false}, {"error", why}}.dump(-1, ' ', false, json::error_handler_t::replace);
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

} // namespace

std::shared_ptr<net::local_port> open_local_control(caf::actor_system& system, net::io_pool& pool,
                                                    const std::filesystem::path& directory,
                                                    actors::accounts_actor accounts,
                                                    std::error_code& ec) {
  return net::local_port::open(
    pool, {.path = directory / local_socket_file, .mode = 0600, .connections_max = 8},
    [&system, accounts = std::move(accounts)](const net::local_peer&, const std::string& message,
                                              answer_function answer) {
      auto order = parse_order(message);
      if (!order)
        return answer(refusal("this is no request that the server knows"));
      system.spawn(change_password, accounts, std::move(*order), std::move(answer));
    },
    ec);
}

bool ask_for_password(const std::filesystem::path& directory, std::string_view user,
                      std::string_view password, std::string& problem) {
  const auto request = json{{"do", "passwd"}, {"user", user}, {"password", password}}.dump(
    -1, ' ', false, json::error_handler_t::replace);
  const auto text = net::ask_local(directory / local_socket_file, request,
                                   std::chrono::seconds{10}, problem);
  if (!text)
    return false;
  const auto answer = json::parse(*text, nullptr, false);
  if (answer.is_object() && answer.value("ok", false))
    return true;
  problem = answer.is_object() ? answer.value("error", std::string{"the server refused"})
                               : "the server's answer is not understood";
  return false;
}

} // namespace muster::server
