#pragma once
// The admin API as a client sees it: real console sessions on a connection without a network, in
// front of the real accounts, directory, enroller, event book, root, writer and reader.

#include "actors/server/call_board.hpp"
#include "actors/server/console_session.hpp"
#include "actors/server/directory.hpp"
#include "actors/server/enroller.hpp"
#include "actors/server/event_book.hpp"
#include "actors/server/policy_book.hpp"
#include "actors/server/server_root.hpp"
#include "net/http.hpp"
#include "net/splitter.hpp"
#include "tests/actors/accounts_world.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muster::test {

/// A connection whose other end is the test: cuts requests as the real one does, delivers while
/// there is credit, keeps what is sent.
class http_link final : public net::link {
public:
  void attach(std::unique_ptr<net::link_sink> sink) override { sink_ = std::move(sink); }
  bool try_send(std::string message) override {
    if (closed || full)
      return false;
    sent.push_back(std::move(message));
    return true;
  }
  void grant(std::size_t n) override {
    credit_ += n;
    deliver();
  }
  void trust() override { splitter_->trust(); }
  void close() override {
    if (!std::exchange(closed, true))
      end({});
  }

  /// Bytes from the client.
  void receive(std::string_view bytes) {
    waiting_ += bytes;
    deliver();
  }
  /// The client has gone.
  void hang_up() {
    closed = true;
    end(std::make_error_code(std::errc::connection_reset));
  }

  std::vector<std::string> sent;
  std::string replies; ///< what the connection itself said, about requests it cannot cut
  bool full = false;
  bool closed = false;

private:
  void deliver() {
    while (credit_ > 0 && sink_ && !waiting_.empty()) {
      std::string_view in = waiting_;
      std::string message;
      std::error_code ec;
      const bool whole = splitter_->next(in, message, ec);
      waiting_.erase(0, waiting_.size() - in.size());
      replies += splitter_->take_reply();
      if (ec) {
        closed = true;
        return end(ec);
      }
      if (!whole)
        return;
      --credit_;
      sink_->on_message(std::move(message));
    }
  }
  void end(std::error_code why) {
    if (const auto sink = std::exchange(sink_, nullptr))
      sink->on_closed(why);
  }

  std::unique_ptr<net::link_sink> sink_;
  std::unique_ptr<net::splitter> splitter_ = net::make_request_splitter();
  std::string waiting_;
  std::size_t credit_ = 0;
};

class listening_port_state {
public:
  static inline const char* name = "listening_port";
  explicit listening_port_state(actors::port_actor::pointer self) : self_(self) {}
  actors::port_actor::behavior_type make_behavior(std::uint16_t port) {
    return {
      [](atom::opened, const net::accepted_ptr&) {},
      [](atom::failed, std::error_code) {},
      [port](atom::bound) { return port; },
      [port](atom::metrics) {
        return std::make_shared<const std::string>("muster_connections{port=\""
                                                   + std::to_string(port) + "\"} 1\n");
      },
      [](atom::status) { return std::string{}; },
    };
  }

private:
  actors::port_actor::pointer self_;
};

inline actors::port_actor::behavior_type
listening_port(actors::port_actor::stateful_pointer<listening_port_state> self,
               std::uint16_t port) {
  return self->state.make_behavior(port);
}

using json = nlohmann::json;

struct console_world : accounts_world {
  static constexpr std::size_t shards = 3;
  static constexpr std::uint16_t agents_port = 13000;
  static constexpr std::uint16_t admin_port = 13299;

  /// One client: a connection and its session.
  struct client {
    console_world& world;
    std::string address = "192.0.2.10";
    std::shared_ptr<http_link> link = std::make_shared<http_link>();
    actors::console_session_actor session = world.open(link, address);

    /// One request; the answer that came for it. Fails when there is none or more than one.
    net::http::response call(const std::string& method, const std::string& target,
                             const std::string& token = {}, const std::string& body = {},
                             const std::string& headers = {}) {
      const auto before = link->sent.size();
      link->receive(text_of(method, target, token, body, headers));
      world.settle();
      REQUIRE(link->sent.size() == before + 1);
      return parse(link->sent.back());
    }
    static net::http::response parse(const std::string& bytes) {
      std::error_code ec;
      auto out = net::http::parse_response(bytes, ec);
      REQUIRE_MESSAGE(out, ec.message());
      return *out;
    }
    /// The answer's JSON; fails unless the status is this one.
    json get(const std::string& target, const std::string& token, int status = 200) {
      const auto answer = call("GET", target, token);
      CAPTURE(target);
      CAPTURE(answer.body);
      REQUIRE(answer.status == status);
      return json::parse(answer.body);
    }
    static std::string text_of(const std::string& method, const std::string& target,
                               const std::string& token = {}, const std::string& body = {},
                               const std::string& headers = {}) {
      std::string out = method + " " + target + " HTTP/1.1\r\nHost: muster.example:13299\r\n";
      if (!token.empty())
        out += "Authorization: Bearer " + token + "\r\n";
      if (!body.empty() && headers.find("Content-Type") == std::string::npos)
        out += "Content-Type: application/json\r\n";
      if (!body.empty() || method == "POST")
        out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
      return out + headers + "\r\n" + body;
    }
  };

  actors::event_book_actor book =
    host(actors::event_book, actors::event_book_options{writer, reader, clock});
  std::vector<actors::directory_actor> directories = make_directories();
  actors::enroller_actor enroller = host(actors::enroller, enroller_setup());
  actors::call_board_actor board =
    host(actors::call_board, actors::call_board_options{directories, writer, clock});
  actors::policy_book_actor order_book = host(actors::policy_book, policy_book_setup());
  actors::server_root_actor root = make_root();
  std::vector<std::string> troubles;
  actors::console_services_ptr services = make_services();

  std::vector<actors::directory_actor> make_directories() {
    std::error_code ec;
    std::vector<actors::directory_actor> out;
    for (auto& shard : actors::load_directory(db, shards, ec)) {
      actors::directory_options options;
      options.loaded = std::move(shard);
      options.writer = writer;
      options.readers = {reader};
      options.event_book = book;
      options.now = clock;
      options.server_started_us = now_us();
      out.push_back(host(actors::directory, std::move(options)));
    }
    REQUIRE_FALSE(ec);
    return out;
  }

  actors::enroller_options enroller_setup() {
    actors::enroller_options out;
    out.writer = writer;
    out.readers = {reader};
    out.directories = directories;
    out.event_book = book;
    out.authority = std::make_shared<const net::certificate_authority>(
      net::certificate_authority::make(net::id_bytes{1}, now_us() / 1'000'000));
    out.now = clock;
    return out;
  }

  actors::policy_book_options policy_book_setup() {
    std::error_code ec;
    actors::policy_book_options out;
    out.loaded = actors::load_fleet(db, ec);
    REQUIRE_FALSE(ec);
    out.writer = writer;
    out.directories = directories;
    out.now = clock;
    return out;
  }

  actors::server_root_actor make_root() {
    actors::server_root_options out;
    for (const auto& [name, door, number] :
         {std::tuple{"agents", actors::door::agents_tls, agents_port},
          std::tuple{"admin", actors::door::admin, admin_port}})
      out.ports.push_back({name, door, [this, number](actors::server_root_actor::pointer parent) {
                             const auto port = parent->spawn(listening_port, number);
                             adopt(port);
                             return port;
                           }});
    return host(actors::server_root, std::move(out));
  }

  actors::console_services_ptr make_services() {
    auto out = std::make_shared<actors::console_services>();
    out->directories = directories;
    out->enroller = enroller;
    out->call_board = board;
    out->policy_book = order_book;
    out->accounts = accounts;
    out->event_book = book;
    out->writer = writer;
    out->readers = {reader};
    out->facts.server_id = std::string(32, 'a');
    out->facts.version = "0.1.0-test";
    out->facts.pin = std::string(64, 'b');
    out->facts.started_us = now_us();
    out->facts.certificate_expires_us = now_us() + 90LL * 86'400 * 1'000'000;
    out->now = clock;
    out->troubles = [this] { return troubles; };
    return out;
  }

  actors::console_session_actor open(const std::shared_ptr<http_link>& link,
                                     const std::string& address) {
    auto connection = std::make_shared<net::accepted>();
    connection->connection = link;
    connection->peer.address = address;
    return host(actors::console_session, net::accepted_ptr{std::move(connection)}, services, root);
  }

  /// A device in the directory, as the enroller would have put it there.
  actors::device_id enrol(std::uint16_t number, const std::string& host_name,
                          std::uint8_t machine = 0) {
    auto device = std::make_shared<actors::enrolled_device>();
    device->device.bytes[0] = 0xd0;
    device->device.bytes[14] = static_cast<std::uint8_t>(number >> 8);
    device->device.bytes[15] = static_cast<std::uint8_t>(number);
    device->certificate_sha256[0] = static_cast<std::uint8_t>(number);
    device->certificate_sha256[1] = static_cast<std::uint8_t>(number >> 8);
    device->key_sha256 = device->certificate_sha256;
    device->certificate_expires_s = now_us() / 1'000'000 + 86'400;
    device->fingerprint.bytes[0] = machine;
    device->fingerprint.bytes[1] = static_cast<std::uint8_t>(machine == 0 ? number : 0);
    device->fingerprint.bytes[2] = static_cast<std::uint8_t>(machine == 0 ? number >> 8 : 0);
    device->host_name = host_name;
    device->enrolled_us = now_us();
    const auto id = device->device;
    write_record(*device);
    CHECK(try_ask<caf::ok_atom>(services->directory_of(id), atom::enrol_v,
                                actors::enrolled_device_ptr{std::move(device)}));
    return id;
  }

  void write_record(const actors::enrolled_device& device) {
    storage::record::device record;
    record.set_id(device.device.raw());
    record.set_host_name(device.host_name);
    const storage::change_batch batch{
      storage::put(storage::family::devices, storage::keys::device(device.device.bytes),
                   storage::records::encode(record))};
    REQUIRE_FALSE(db.write({&batch, 1}));
  }

  /// Stores events as an event stream does, and tells the book.
  void store_events(const actors::device_id& device, std::vector<actors::event_item> events) {
    auto batch = std::make_shared<actors::event_append>();
    batch->device = device;
    batch->device_name = "name then";
    batch->epoch = 7;
    batch->after = ask<actors::event_position>(writer, atom::position_v, device);
    batch->events = std::move(events);
    const auto result =
      ask<actors::append_result>(writer, atom::append_v, actors::event_append_ptr{batch});
    REQUIRE(result.stored);
    auto stored = std::make_shared<actors::stored_events>();
    stored->batch = batch;
    stored->received_us = result.received_us;
    self->send(book, atom::publish_v, actors::stored_events_ptr{std::move(stored)});
    settle();
  }
  static actors::event_item event(std::uint64_t sequence, actors::severity severity,
                                  std::string text) {
    actors::event_item out;
    out.sequence = sequence;
    out.severity = severity;
    out.type = "test.event";
    out.text = std::move(text);
    out.time_ms = 1000;
    return out;
  }

  /// A bearer token of the administrator.
  std::string token() { return log_in("admin", "correct horse", "192.0.2.99").bearer; }
};

} // namespace muster::test
