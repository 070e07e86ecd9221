#include "apps/console/transport.hpp"

#include "net/https_client.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

namespace muster::console {

namespace {

constexpr std::chrono::seconds answer_max{60};

class https_transport final : public transport {
public:
  explicit https_transport(std::unique_ptr<net::https_client> client)
    : client_(std::move(client)) {}

  std::optional<net::http::response> exchange(const net::http::request& r,
                                              std::string& problem) override {
    return client_->exchange(r, answer_max, problem);
  }
  bool follow(const net::http::request& r, const net::http::event_stream_reader::on_event& tell,
              std::string& problem, std::optional<net::http::response>& instead) override {
    return client_->follow(r, tell, problem, &instead);
  }

private:
  std::unique_ptr<net::https_client> client_;
};

std::unique_ptr<transport> connect_by(const profile& p, net::server_expectation expected,
                                      std::function<void(const net::certificate&)> on_authority,
                                      std::string& problem) {
  net::client_tls_options options;
  options.server = std::move(expected);
  options.alpn = net::alpn_http;
  options.on_authority = std::move(on_authority);
  std::error_code ec;
  auto tls = net::client_tls_context::make(options, ec);
  if (ec || tls == nullptr) {
    problem = "TLS cannot be set up: " + ec.message();
    return nullptr;
  }
  auto client = net::https_client::connect({p.host, p.port}, std::move(tls), problem);
  return client == nullptr ? nullptr : std::make_unique<https_transport>(std::move(client));
}

template <std::size_t Size>
std::array<std::uint8_t, Size> bytes_of(const std::string& hex) {
  std::array<std::uint8_t, Size> out{};
  const auto raw = net::from_hex(hex);
  if (raw && raw->size() == Size)
    std::transform(raw->begin(), raw->end(), out.begin(),
                   [](char c) { return static_cast<std::uint8_t>(c); });
  return out;
}

std::unique_ptr<transport> connect_first(const profile& p, first_contact& found,
                                         std::string& problem) {
  const auto remember = [&found](const net::certificate& authority) {
    found.pin = net::to_hex(authority.spki_sha256());
  };
  auto connection = connect_by(p, {}, remember, problem);
  // A server of ours that has another fault, or a wrong address: no other trust will mend that.
  if (connection != nullptr || !found.pin.empty())
    return connection;
  net::server_expectation by_name;
  by_name.host_name = p.host;
  return connect_by(p, std::move(by_name), nullptr, problem);
}

} // namespace

std::unique_ptr<transport> connect_https(const profile& p, first_contact* found,
                                         std::string& problem) {
  net::server_expectation expected;
  if (!p.pin.empty()) {
    expected.authority_pin = bytes_of<32>(p.pin);
    if (!p.server_id.empty())
      expected.server_id = bytes_of<16>(p.server_id);
  } else if (found != nullptr && p.trust_pem.empty()) {
    return connect_first(p, *found, problem);
  } else {
    expected.host_name = p.host;
    expected.trust_pem = p.trust_pem;
  }
  return connect_by(p, std::move(expected), nullptr, problem);
}

} // namespace muster::console
