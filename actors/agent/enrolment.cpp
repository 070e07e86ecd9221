#include "actors/agent/enrolment.hpp"

#include "actors/agent/limits.hpp"
#include "net/agent_identity.hpp"
#include "net/enrolment_proof.hpp"
#include "net/io_pool.hpp"
#include "net/limits.hpp"
#include "net/tcp_connector.hpp"
#include "net/wire/agent.pb.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <future>
#include <memory>
#include <mutex>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace muster::actors {

namespace {

constexpr std::uint16_t default_port = 13000;

enrolment_outcome failed(std::string sentence) {
  enrolment_outcome out;
  out.sentence = std::move(sentence);
  return out;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos)
    return {};
  return std::string(text.substr(first, text.find_last_not_of(blanks) - first + 1));
}

/// A value that one thread gives and another waits for; the first one counts.
template <class T>
class once {
public:
  void give(T value) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(given_, true))
      return;
    promise_.set_value(std::move(value));
  }
  [[nodiscard]] std::future<T> future() { return promise_.get_future(); }

private:
  std::mutex mutex_;
  bool given_ = false;
  std::promise<T> promise_;
};

/// What came back: a message, or the end.
struct reply {
  std::optional<std::string> message;
  std::error_code ec;
};

class reply_sink final : public net::link_sink {
public:
  explicit reply_sink(std::shared_ptr<once<reply>> to) : to_(std::move(to)) {}
  void on_message(std::string bytes) override { to_->give({std::move(bytes), {}}); }
  void on_closed(std::error_code why) override { to_->give({std::nullopt, why}); }

private:
  std::shared_ptr<once<reply>> to_;
};

struct connect_result {
  net::accepted_ptr connection;
  std::error_code ec;
  std::string detail;
};

/// One enrolment, step by step. Each step answers a sentence when it fails.
class enrolment {
public:
  explicit enrolment(const enrolment_options& options) : options_(options) {}

  enrolment_outcome run() {
    if (auto decided = look_at_what_is_there())
      return std::move(*decided);
    for (const auto step : {&enrolment::prepare, &enrolment::connect, &enrolment::ask,
                            &enrolment::judge_reply, &enrolment::store}) {
      if (auto problem = (this->*step)(); !problem.empty())
        return failed(std::move(problem));
    }
    enrolment_outcome out;
    out.ok = true;
    out.device.bytes = identity_->device_id;
    out.pin = *authority_;
    out.sentence =
      fmt::format("enrolled to {} as device {}", called_, out.device.text());
    return out;
  }

private:
  std::optional<enrolment_outcome> look_at_what_is_there();
  std::string prepare();
  std::string connect();
  std::string ask();
  std::string judge_reply();
  std::string store();
  [[nodiscard]] std::string sentence_for(const connect_result& failure) const;
  [[nodiscard]] std::string authority_shown() const;
  [[nodiscard]] wire::agent_message request() const;

  const enrolment_options& options_;
  net::endpoint_name server_;
  std::string called_; ///< as HOST:PORT
  std::optional<net::key_pair> key_;
  std::optional<net::agent_identity> identity_;
  /// The authority's pin as the handshake showed it, told on the io thread.
  std::shared_ptr<once<net::sha256_digest>> shown_ = std::make_shared<once<net::sha256_digest>>();
  std::future<net::sha256_digest> shown_later_ = shown_->future();
  std::optional<net::sha256_digest> authority_;
  net::io_pool pool_{1};
  net::accepted_ptr connection_;
  wire::server_message reply_;
};

/// A machine belongs to one server: the same once more is no error, another one is.
std::optional<enrolment_outcome> enrolment::look_at_what_is_there() {
  const auto parsed = net::parse_endpoint(options_.server, default_port);
  if (!parsed)
    return failed(fmt::format("'{}' is no server: give HOST or HOST:PORT", options_.server));
  server_ = *parsed;
  std::string problem;
  const auto there = net::load_agent_identity(options_.identity_directory, problem);
  if (!there && problem.empty())
    return std::nullopt;
  if (!there)
    return failed(std::move(problem));
  const auto pin = there->bundle.empty() ? net::sha256_digest{}
                                         : there->bundle.front().spki_sha256();
  const bool same = options_.pin ? *options_.pin == pin : there->server == place_text(server_);
  if (!same)
    return failed(fmt::format(
      "this machine is enrolled to {} already; `muster-agent move` takes it to {}",
      there->server, place_text(server_)));
  enrolment_outcome out;
  out.ok = out.already = true;
  out.device.bytes = there->device_id;
  out.pin = pin;
  out.sentence = fmt::format("this machine is enrolled to {} already, as device {}; nothing to do",
                             there->server, out.device.text());
  return out;
}

std::string enrolment::prepare() {
  if (!options_.pin && !options_.trust_on_first_use)
    return "without a pin nobody knows whether this is your server: give --pin as `muster token "
           "create` prints it, or --trust-on-first-use";
  if (trimmed(options_.token).empty())
    return "an enrolment needs a token: `muster token create` makes one";
  std::string problem;
  auto key = net::load_or_make_agent_key(options_.identity_directory, problem);
  if (!key)
    return problem;
  key_ = std::move(*key);
  called_ = place_text(server_);
  return {};
}

std::string enrolment::connect() {
  net::client_tls_options tls;
  tls.server.authority_pin = options_.pin;
  tls.now_s = options_.now_s;
  tls.on_authority = [shown = shown_](const net::certificate& authority) {
    shown->give(authority.spki_sha256());
  };
  std::error_code ec;
  net::connect_options way;
  way.to = server_;
  way.tls = net::client_tls_context::make(tls, ec);
  way.from_address = options_.from_address;
  if (!way.tls)
    return "TLS cannot be set up: " + ec.message();
  const auto result = std::make_shared<once<connect_result>>();
  auto later = result->future();
  net::connect(pool_, std::move(way),
               [result](net::accepted_ptr connection, std::error_code why, std::string detail) {
                 result->give({std::move(connection), why, std::move(detail)});
               });
  const auto outcome = later.get(); // bounded: each address and the handshake have their limits
  if (shown_later_.wait_for(std::chrono::seconds{0}) == std::future_status::ready)
    authority_ = shown_later_.get();
  if (!outcome.connection)
    return sentence_for(outcome);
  connection_ = outcome.connection;
  if (!authority_ || !connection_->peer.exporter)
    return fmt::format("{} did not prove who it is; nothing was sent", called_);
  return {};
}

std::string enrolment::authority_shown() const {
  return authority_ ? net::to_hex(*authority_) : "none";
}

std::string enrolment::sentence_for(const connect_result& failure) const {
  using net::errc;
  const auto is = [&](errc code) { return failure.ec == net::make_error_code(code); };
  if (is(errc::pin_mismatch))
    return fmt::format(
      "the server at {} has the pin {}, not the one you gave: compare with what `muster token "
      "create` prints; if yours is right, that is not your server",
      called_, authority_shown());
  if (is(errc::certificate_expired))
    return fmt::format("the certificate of {} is outside its validity by this machine's clock: "
                       "set the clock; if it is right, the server's operator has to act",
                       called_);
  const bool other_service = is(errc::certificate_foreign) || is(errc::certificate_wrong_role)
                             || is(errc::certificate_wrong_name)
                             || is(errc::certificate_malformed) || is(errc::certificate_missing)
                             || is(errc::tls_failed) || is(errc::tls_wrong_alpn)
                             || is(errc::tls_no_common_version) || is(errc::malformed)
                             || is(errc::frame_too_large);
  if (other_service)
    return fmt::format("what answers at {} is no Muster server for agents ({}): check address and "
                       "port",
                       called_, failure.detail);
  if (is(errc::name_not_found))
    return fmt::format("no address is known for '{}': check the name, and this machine's DNS",
                       server_.host);
  return failure.detail
         + ": check that the server runs, its address and port, and what firewalls are between";
}

wire::agent_message enrolment::request() const {
  wire::agent_message message;
  auto& out = *message.mutable_enrol_request();
  out.set_token(trimmed(options_.token));
  out.set_csr(net::make_csr(*key_));
  out.set_fingerprint(options_.fingerprint.raw());
  out.set_proof(key_->sign(net::enrolment_proof_message(*connection_->peer.exporter)));
  out.set_host_name(options_.host_name);
  out.set_agent_version(options_.agent_version);
  return message;
}

std::string enrolment::ask() {
  const auto answer = std::make_shared<once<reply>>();
  auto later = answer->future();
  auto& link = *connection_->connection;
  link.attach(std::make_unique<reply_sink>(answer));
  link.trust();
  link.grant(1);
  auto bytes = request().SerializeAsString();
  if (bytes.size() > net::limits::frame_bytes_anonymous_max)
    return "token or host name are longer than an enrolment may be";
  const bool sent = link.try_send(std::move(bytes));
  const bool answered = sent && later.wait_for(limits::enrolment_answer_max)
                                  == std::future_status::ready;
  link.close();
  if (!answered)
    return fmt::format("{} took the connection but gave no answer: see the server's log",
                       called_);
  const auto got = later.get();
  if (!got.message)
    return fmt::format("{} closed the connection without an answer ({}): see the server's log",
                       called_, got.ec ? got.ec.message() : "in order");
  if (!reply_.ParseFromString(*got.message))
    return fmt::format("{} answered what is no message of ours", called_);
  return {};
}

std::string enrolment::judge_reply() {
  if (reply_.has_refused()) {
    const auto& refused = reply_.refused();
    if (refused.reason() == wire::refusal_token)
      return fmt::format("{} refused the token: {}", called_, refused.text());
    return fmt::format("{} refused this machine: {}", called_, refused.text());
  }
  if (reply_.has_busy())
    return fmt::format("{} is busy: try again in {} s", called_,
                       reply_.busy().retry_after_ms() / 1000 + 1);
  const auto& given = reply_.enrol_reply();
  std::error_code ec;
  const auto leaf = net::certificate::from_der(given.certificate(), ec);
  std::vector<net::certificate> bundle;
  for (const auto& der : given.bundle()) {
    if (auto authority = net::certificate::from_der(der, ec))
      bundle.push_back(std::move(*authority));
  }
  const auto device = rules::device_id::from_bytes(given.device_id());
  const auto server = rules::server_id::from_bytes(given.server_id());
  std::array<std::uint8_t, 32> wake_key{};
  const bool whole = reply_.has_enrol_reply() && leaf && device && server && !bundle.empty()
                     && given.wake_public_key().size() == wake_key.size();
  if (!whole)
    return fmt::format("{} answered what is no enrolment: is it of another version?", called_);
  const bool fits = bundle.front().spki_sha256() == *authority_
                    && leaf->issued_by(bundle.front())
                    && leaf->holder_role() == net::role::device
                    && leaf->holder_id() == device->bytes
                    && leaf->spki_sha256() == key_->spki_sha256();
  if (!fits)
    return fmt::format("{} answered with a certificate that does not fit its authority or this "
                       "machine's key: the server is at fault, nothing was kept",
                       called_);
  std::copy(given.wake_public_key().begin(), given.wake_public_key().end(), wake_key.begin());
  identity_ = net::agent_identity{device->bytes,  *key_,    *leaf,  std::move(bundle),
                                  server->bytes, wake_key, called_};
  return {};
}

std::string enrolment::store() {
  std::string problem;
  if (!net::save_agent_identity(options_.identity_directory, *identity_, problem))
    return problem;
  return {};
}

} // namespace

std::string place_text(const net::endpoint_name& name) {
  const bool v6 = name.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", name.host, v6 ? "]" : "", name.port);
}

enrolment_outcome enrol(const enrolment_options& options) {
  return enrolment(options).run();
}

} // namespace muster::actors
