#include "tests/system/wire_client.hpp"

#include "net/enrolment_proof.hpp"
#include "net/tcp_connector.hpp"

#include <algorithm>
#include <future>

namespace muster::test {

using namespace std::chrono_literals;

namespace {

// As much as a test may leave unread before the server feels it.
constexpr std::size_t credit = 64;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
           std::chrono::system_clock::now().time_since_epoch())
    .count();
}

/// What was said instead of what was hoped for.
std::string describe(const std::optional<wire::server_message>& message) {
  if (!message)
    return "nothing was answered";
  switch (message->body_case()) {
  case wire::server_message::kRefused:
    return "refused " + std::to_string(message->refused().reason()) + ": " +
           message->refused().text();
  case wire::server_message::kBusy:
    return "busy";
  case wire::server_message::kGoodbye:
    return "goodbye: " + message->goodbye().text();
  default:
    return "message " + std::to_string(message->body_case());
  }
}

} // namespace

class wire_client::sink final : public net::link_sink {
public:
  explicit sink(std::shared_ptr<mailbox> to) : to_(std::move(to)) {}
  void on_message(std::string bytes) override {
    const std::lock_guard lock{to_->mutex};
    to_->messages.push_back(std::move(bytes));
    to_->changed.notify_all();
  }
  void on_closed(std::error_code why) override {
    const std::lock_guard lock{to_->mutex};
    to_->ended = true;
    to_->why = why;
    to_->changed.notify_all();
  }

private:
  std::shared_ptr<mailbox> to_;
};

wire_client::~wire_client() {
  hang_up();
  pool_.join();
}

std::string wire_client::connect(const wire_identity& who, std::uint16_t port, bool resume) {
  hang_up();
  net::client_tls_options tls;
  tls.server.authority_pin = who.pin;
  if (who.leaf) {
    tls.key = who.key;
    tls.leaf = who.leaf;
    tls.server.server_id = who.server_id;
  }
  tls.on_session = [this, mutex = ticket_mutex_](net::tls_session_ptr session) {
    const std::lock_guard lock{*mutex};
    ticket_ = std::move(session);
  };
  std::error_code ec;
  net::connect_options options;
  options.to = {"127.0.0.1", port};
  options.tls = net::client_tls_context::make(tls, ec);
  if (!options.tls)
    return ec.message();
  if (resume) {
    const std::lock_guard lock{*ticket_mutex_};
    options.resume = ticket_;
  }
  std::promise<std::pair<net::accepted_ptr, std::string>> arrived;
  net::connect(pool_, std::move(options),
               [&](const net::accepted_ptr& connection, std::error_code, std::string detail) {
                 arrived.set_value({connection, std::move(detail)});
               });
  auto [connection, detail] = arrived.get_future().get();
  if (!connection)
    return detail.empty() ? "no connection" : detail;
  inbox_ = std::make_shared<mailbox>();
  link_ = connection->connection;
  peer_ = connection->peer;
  link_->attach(std::make_unique<sink>(inbox_));
  link_->trust();
  link_->grant(credit);
  return {};
}

bool wire_client::say_bytes(std::string message) {
  return link_ != nullptr && link_->try_send(std::move(message));
}

std::optional<wire::server_message> wire_client::hear_any(std::chrono::milliseconds time) {
  if (inbox_ == nullptr)
    return std::nullopt;
  std::unique_lock lock{inbox_->mutex};
  inbox_->changed.wait_for(lock, time,
                           [this] { return !inbox_->messages.empty() || inbox_->ended; });
  if (inbox_->messages.empty())
    return std::nullopt;
  const auto bytes = std::move(inbox_->messages.front());
  inbox_->messages.pop_front();
  lock.unlock();
  link_->grant(1);
  wire::server_message message;
  return message.ParseFromString(bytes) ? std::optional{message} : std::nullopt;
}

std::optional<wire::server_message> wire_client::hear(std::chrono::milliseconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  for (;;) {
    auto message = hear_any(std::max(
      0ms, std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now())));
    if (!message || message->body_case() != wire::server_message::kPing)
      return message;
    wire::agent_message alive;
    alive.mutable_pong();
    say(alive);
  }
}

bool wire_client::ends_within(std::chrono::milliseconds time) {
  if (inbox_ == nullptr)
    return true;
  std::unique_lock lock{inbox_->mutex};
  return inbox_->changed.wait_for(lock, time, [this] { return inbox_->ended; });
}

std::string wire_client::why_ended() const {
  if (inbox_ == nullptr)
    return {};
  const std::lock_guard lock{inbox_->mutex};
  return inbox_->why ? inbox_->why.message() : std::string{};
}

void wire_client::hang_up() {
  link_.reset();
  inbox_.reset();
}

wire::agent_message make_enrol_request(const wire_identity& who, const net::peer_info& peer,
                                       const std::string& token, const std::string& host_name) {
  wire::agent_message message;
  auto& request = *message.mutable_enrol_request();
  request.set_token(token);
  request.set_csr(net::make_csr(who.key));
  request.set_fingerprint(who.fingerprint);
  if (peer.exporter)
    request.set_proof(who.key.sign(net::enrolment_proof_message(*peer.exporter)));
  request.set_host_name(host_name);
  request.set_agent_version("test");
  return message;
}

wire::agent_message make_hello(wire_identity& who) {
  wire::agent_message message;
  auto& hello = *message.mutable_hello();
  hello.set_protocol(1);
  hello.set_agent_version("test");
  hello.set_device_id(who.device_id);
  hello.set_boot_id(who.boot);
  hello.set_fingerprint(who.fingerprint);
  hello.set_counter(++who.counter);
  hello.set_clock_ms(now_ms());
  hello.set_keep(true);
  return message;
}

std::string enrol(wire_identity& who, std::uint16_t port, const std::string& token,
                  const std::string& host_name) {
  wire_client client;
  auto stranger = who;
  stranger.leaf.reset();
  if (auto problem = client.connect(stranger, port); !problem.empty())
    return problem;
  if (!client.say(make_enrol_request(who, client.peer(), token, host_name)))
    return "the connection ended before the request was sent";
  const auto answer = client.hear();
  if (!answer || !answer->has_enrol_reply())
    return describe(answer);
  const auto& reply = answer->enrol_reply();
  std::error_code ec;
  who.leaf = net::certificate::from_der(reply.certificate(), ec);
  who.device_id = reply.device_id();
  if (ec || who.device_id.size() != 16 || reply.server_id().size() != who.server_id.size())
    return "the server's reply is not complete";
  std::copy(reply.server_id().begin(), reply.server_id().end(), who.server_id.begin());
  return {};
}

std::string greet(wire_client& client, wire_identity& who, std::uint16_t port, bool resume) {
  if (auto problem = client.connect(who, port, resume); !problem.empty())
    return problem;
  if (!client.say(make_hello(who)))
    return "the connection ended before the hello was sent";
  const auto answer = client.hear();
  return answer && answer->has_welcome() ? std::string{} : describe(answer);
}

} // namespace muster::test
