// Any request to the admin API: found, judged and understood without an actor. Whatever is accepted
// must have kept its promises to the handlers; whatever is refused must be a problem document.

#include "actors/server/accounts.hpp"
#include "actors/server/api/call.hpp"
#include "net/http.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace muster;
using namespace muster::actors;

void require(bool condition) {
  if (!condition)
    std::abort();
}

void check_refusal(const net::http::response& r) {
  require(r.status >= 400 && r.status < 500);
  require(r.content_type == "application/problem+json");
  require(!r.body.empty() && r.body.front() == '{');
  require(!net::http::serialize(r).empty());
}

void check_call(const api::call& c) {
  require(c.limit >= 1 && c.limit <= api::page_rows_max);
  require(c.since_us >= 0 && c.until_us >= 0);
  require(c.severity_min >= severity::info && c.severity_min <= severity::failure);
  require((c.body != nullptr) == !c.where->request.empty());
  require(api::argument_name(*c.where).empty() || !c.argument.empty());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::error_code ec;
  auto request =
    net::http::parse_request({reinterpret_cast<const char*>(data), size}, ec);
  if (!request)
    return 0;
  for (const bool from_loopback : {false, true}) {
    net::http::response refusal;
    const auto call = api::begin_call(*request, from_loopback, refusal);
    if (!call) {
      check_refusal(refusal);
      continue;
    }
    require(!api::needs_user(*call, from_loopback) || !call->bearer.empty());
    const console_user user{"somebody", from_loopback ? std::string{administrator_role} : "viewer"};
    if (api::finish_call(*call, user, refusal)) {
      check_call(*call);
      require(call->where->who != api::access::administrator || from_loopback);
    } else {
      check_refusal(refusal);
    }
  }
  return 0;
}
