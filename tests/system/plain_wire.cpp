#include "tests/system/plain_wire.hpp"

#include "net/client_socket.hpp"
#include "net/frame.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <span>
#include <utility>

namespace muster::test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

net::client_plain_context_ptr context_of(const wire_identity& who) {
  net::client_plain_options options{who.key, *who.leaf, {}, [] {
                                      return std::chrono::duration_cast<std::chrono::seconds>(
                                               std::chrono::system_clock::now().time_since_epoch())
                                        .count();
                                    }};
  options.server.authority_pin = who.pin;
  options.server.server_id = who.server_id;
  std::error_code ec;
  auto made = net::client_plain_context::make(std::move(options), ec);
  REQUIRE_MESSAGE(made != nullptr, ec.message());
  return made;
}

net::owned_descriptor dial(std::uint16_t port, std::error_code& ec) {
  std::string why;
  const auto to = net::addresses_of({"127.0.0.1", port}, why);
  if (to.empty())
    return {};
  return net::connect_until(to.front(), clock::now() + 20s, ec);
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

} // namespace

// -- the agent ------------------------------------------------------------------------------------

plain_talk::plain_talk(const wire_identity& who, std::uint16_t port) : engine_(context_of(who)) {
  fd_ = dial(port, ec_);
}

bool plain_talk::handshake(std::chrono::milliseconds time) {
  const auto until = clock::now() + time;
  if (!ec_)
    ec_ = engine_.start(out_);
  write();
  while (!ec_ && !engine_.open() && read(until)) {
  }
  if (!ec_ && !engine_.open())
    ec_ = net::errc::timed_out;
  return !ec_;
}

void plain_talk::say(const wire::agent_message& message) {
  if (ec_)
    return;
  auto frame = message.SerializeAsString();
  net::prepend_frame_header(frame);
  ec_ = engine_.send(frame, out_);
  write();
}

std::optional<wire::server_message> plain_talk::hear(std::chrono::milliseconds time) {
  const auto until = clock::now() + time;
  auto front = net::peek_frame(heard_, net::limits::frame_bytes_max);
  while (front.status == net::frame_status::incomplete && !ec_ && read(until))
    front = net::peek_frame(heard_, net::limits::frame_bytes_max);
  if (front.status != net::frame_status::complete)
    return std::nullopt;
  wire::server_message message;
  const bool good = message.ParseFromArray(front.payload.data(),
                                           static_cast<int>(front.payload.size()));
  heard_.erase(0, front.frame_bytes);
  return good ? std::optional{message} : std::nullopt;
}

bool plain_talk::finish(std::chrono::milliseconds time) {
  const auto until = clock::now() + time;
  engine_.shutdown(out_);
  write();
  while (!ec_ && !engine_.peer_closed() && read(until)) {
  }
  return !ec_ && engine_.peer_closed();
}

void plain_talk::write() {
  if (ec_ && out_.empty())
    return;
  const auto ec = net::write_until(fd_.get(), std::exchange(out_, {}), clock::now() + 20s);
  if (!ec_)
    ec_ = ec;
}

bool plain_talk::read(clock::time_point until) {
  std::array<char, 16 * 1024> buffer{};
  std::error_code ec;
  const auto count = net::read_until(fd_.get(), buffer, until, ec);
  if (ec == net::errc::timed_out)
    return false;
  if (count == 0) {
    ec_ = ec ? ec : make_error_code(net::errc::truncated);
    return false;
  }
  ec_ = engine_.receive(bytes_of({buffer.data(), count}), heard_, out_);
  if (!out_.empty())
    write();
  return true;
}

// -- somebody in the middle -----------------------------------------------------------------------

std::string_view name_of(deed what) {
  constexpr std::array<std::string_view, 6> names = {"nothing", "flip", "drop",
                                                     "repeat",  "swap", "cut"};
  return names[static_cast<std::size_t>(what)];
}

middle::middle(std::uint16_t server_port, std::vector<script> each)
  : scripts_(std::move(each)), server_port_(server_port) {
  listening_ = net::owned_descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(listening_.get(), any, size) == 0);
  REQUIRE(::listen(listening_.get(), 8) == 0);
  REQUIRE(::getsockname(listening_.get(), any, &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

middle::~middle() {
  stop_ = true;
  join();
}

void middle::join() {
  if (thread_.joinable())
    thread_.join();
}

void middle::run() {
  for (const auto& one : scripts_) {
    if (stop_)
      return;
    script_ = one;
    up_ = {true, {}, {}, {}, 0, false};
    down_ = {false, {}, {}, {}, 0, false};
    passed_.clear();
    done_ = cut_ = false;
    serve();
    deeds_ += done_ ? 1 : 0;
    ++over_;
  }
}

void middle::serve() {
  std::array<pollfd, 2> waiting{pollfd{listening_.get(), POLLIN, 0}, pollfd{}};
  while (!stop_ && ::poll(waiting.data(), 1, 100) == 0) {
  }
  const net::owned_descriptor agent(stop_ ? -1
                                          : ::accept4(listening_.get(), nullptr, nullptr,
                                                      SOCK_CLOEXEC));
  std::error_code ec;
  const auto server = agent ? dial(server_port_, ec) : net::owned_descriptor{};
  if (!agent || !server)
    return;
  waiting = {pollfd{agent.get(), POLLIN, 0}, pollfd{server.get(), POLLIN, 0}};
  while (!stop_ && !cut_ && !(up_.over && down_.over)) {
    waiting[0].fd = up_.over ? -1 : agent.get();
    waiting[1].fd = down_.over ? -1 : server.get();
    if (::poll(waiting.data(), waiting.size(), 100) <= 0)
      continue;
    if (waiting[0].revents != 0)
      pump(up_, agent.get(), server.get());
    if (waiting[1].revents != 0 && !cut_)
      pump(down_, server.get(), agent.get());
  }
}

void middle::pump(direction& which, int from, int to) {
  std::array<char, 16 * 1024> buffer{};
  const auto count = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN)
    return;
  if (count <= 0) {
    which.over = true;
    ::shutdown(to, SHUT_WR);
    return;
  }
  const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
  which.partial += bytes;
  which.recorded += bytes;
  std::string out;
  while (!cut_) {
    const auto front = net::peek_frame(which.partial, net::limits::frame_bytes_max);
    if (front.status != net::frame_status::complete)
      break;
    auto frame = which.partial.substr(0, front.frame_bytes);
    which.partial.erase(0, front.frame_bytes);
    cut_ = !pass(which, std::move(frame), out);
  }
  // Whoever has left gets nothing: the deed is done all the same.
  static_cast<void>(net::write_until(to, out, clock::now() + 20s));
}

bool middle::pass(direction& which, std::string frame, std::string& out) {
  passed_.emplace_back(which.up, frame);
  const auto number = which.frames++;
  const bool here = which.up == script_.up && number == script_.frame;
  const auto what = here ? script_.what : deed::nothing;
  done_ = done_ || (here && what != deed::nothing);
  switch (what) {
  case deed::nothing:
    out += frame;
    break;
  case deed::flip: {
    // Not in the length: that only makes the other end wait.
    auto& victim = frame[net::frame_header_bytes + (frame.size() - net::frame_header_bytes) / 2];
    victim = static_cast<char>(victim ^ 4);
    out += frame;
    break;
  }
  case deed::drop:
    break;
  case deed::repeat:
    out += frame + frame;
    break;
  case deed::swap:
    which.held = std::move(frame);
    return true;
  case deed::cut:
    out += frame.substr(0, frame.size() / 2);
    return false;
  }
  out += std::exchange(which.held, {});
  return true;
}

std::string answer_to(std::string_view bytes, std::uint16_t port, std::chrono::milliseconds time) {
  std::error_code ec;
  const auto fd = dial(port, ec);
  REQUIRE(fd);
  REQUIRE_FALSE(net::write_until(fd.get(), bytes, clock::now() + 20s));
  std::string out;
  std::array<char, 4096> buffer{};
  const auto until = clock::now() + time;
  for (auto count = net::read_until(fd.get(), buffer, until, ec); count != 0;
       count = net::read_until(fd.get(), buffer, until, ec))
    out.append(buffer.data(), count);
  return out;
}

} // namespace muster::test
