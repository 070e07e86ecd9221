#include "net/reach.hpp"

#include "net/asio_error.hpp"
#include "net/errc.hpp"

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/udp.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace muster::net {

namespace {

/// Runs the one operation that was begun. False when it has not ended in time.
bool ends_within(asio::io_context& io, std::chrono::milliseconds time) {
  io.run_for(time);
  return io.stopped(); // out of work
}

} // namespace

resolved_name resolve_name(const std::string& host, std::chrono::milliseconds time) {
  resolved_name out;
  std::error_code ec;
  const auto numeric = asio::ip::make_address(host, ec);
  if (!ec) {
    out.addresses.push_back(numeric.to_string());
    return out;
  }
  asio::io_context io{1};
  asio::ip::tcp::resolver resolver{io};
  resolver.async_resolve(host, "0", asio::ip::resolver_base::numeric_service,
                         [&out](std::error_code why, const auto& results) {
                           out.ec = why;
                           for (const auto& one : results) {
                             auto text = one.endpoint().address().to_string();
                             const auto& known = out.addresses;
                             if (std::find(known.begin(), known.end(), text) == known.end())
                               out.addresses.push_back(std::move(text));
                           }
                         });
  if (!ends_within(io, time)) {
    out.addresses.clear();
    out.ec = errc::timed_out;
  } else if (out.addresses.empty()) {
    out.ec = errc::name_not_found;
  }
  return out;
}

std::error_code try_tcp(const std::string& address, std::uint16_t port,
                        std::chrono::milliseconds time) {
  std::error_code ec;
  const auto to = asio::ip::make_address(address, ec);
  if (ec)
    return ec;
  asio::io_context io{1};
  asio::ip::tcp::socket socket{io};
  socket.async_connect({to, port}, [&ec](std::error_code why) { ec = plain_error(why); });
  return ends_within(io, time) ? ec : make_error_code(errc::timed_out);
}

bool is_udp_refused(const std::string& address, std::uint16_t port,
                    std::chrono::milliseconds time) {
  std::error_code ec;
  const auto to = asio::ip::make_address(address, ec);
  if (ec)
    return false;
  asio::io_context io{1};
  asio::ip::udp::socket socket{io};
  socket.open(to.is_v6() ? asio::ip::udp::v6() : asio::ip::udp::v4(), ec);
  if (!ec)
    socket.connect({to, port}, ec); // or the kernel would not tell us
  if (ec)
    return false;
  const std::array<char, 1> nothing{};
  socket.send(asio::buffer(nothing), 0, ec);
  std::array<char, 1> answer{};
  std::error_code heard;
  socket.async_receive(asio::buffer(answer),
                       [&heard](std::error_code why, std::size_t) { heard = plain_error(why); });
  return ends_within(io, time) && heard == std::errc::connection_refused;
}

} // namespace muster::net
