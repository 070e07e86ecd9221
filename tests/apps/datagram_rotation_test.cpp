#include "apps/server/datagram_rotation.hpp"

#include <doctest/doctest.h>

using namespace muster;
using namespace muster::server;

TEST_CASE(
  "a second rotation within a week wants to be forced, and so does one at an impossible time") {
  constexpr std::int64_t day = 24 * 3600;
  constexpr std::uint32_t rotated_at = 1'800'000'000;
  const net::datagram_secrets never{{1, {}}, {}};
  const net::datagram_secrets once{{rotated_at, {}}, net::datagram_secret{1, {}}};
  const auto refusal = [&](const net::datagram_secrets& now, std::int64_t after,
                           bool force = false) {
    return refusal_of_rotation(now, rotated_at + after, force).value_or("");
  };
  CHECK(refusal(never, 0).empty());
  CHECK(refusal(once, 5 * 3600).find("5 hours ago") != std::string::npos);
  CHECK_FALSE(refusal(once, 7 * day - 1).empty());
  CHECK(refusal(once, 7 * day).empty());
  CHECK(refusal(once, -1).find("clock") != std::string::npos);
  CHECK(refusal(once, -1, true).empty());
  CHECK(refusal(once, 0, true).empty());
}
