#include "net/trust.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace muster::net {

namespace {

judgement leaf_of(std::span<const std::string_view> chain) {
  judgement out;
  if (chain.empty())
    return out;
  std::error_code ec;
  if (auto leaf = certificate::from_der(chain.front(), ec)) {
    out.leaf = *std::move(leaf);
    out.verdict = errc::success;
  }
  return out;
}

bool within(const certificate& which, std::int64_t now_s) {
  return which.not_before_s() <= now_s && now_s <= which.not_after_s();
}

errc judge_server_leaf(const certificate& leaf, const certificate& authority,
                       const server_expectation& expected, std::int64_t now_s) {
  if (!leaf.issued_by(authority))
    return errc::certificate_foreign;
  if (leaf.holder_role() != role::server)
    return errc::certificate_wrong_role;
  if (expected.server_id && *expected.server_id != leaf.holder_id())
    return errc::certificate_wrong_name;
  return within(leaf, now_s) && within(authority, now_s) ? errc::success
                                                         : errc::certificate_expired;
}

} // namespace

judgement judge_device(std::span<const std::string_view> chain, const certificate& authority) {
  auto out = leaf_of(chain);
  if (out.verdict != errc::success)
    return out;
  if (!out.leaf.issued_by(authority))
    out.verdict = errc::certificate_foreign;
  else if (out.leaf.holder_role() != role::device)
    out.verdict = errc::certificate_wrong_role;
  return out;
}

judgement judge_server(std::span<const std::string_view> chain, const server_expectation& expected,
                       std::int64_t now_s,
                       const std::function<void(const certificate&)>& on_authority) {
  auto out = leaf_of(chain);
  if (out.verdict != errc::success)
    return out;
  std::vector<certificate> authorities;
  for (const auto der : chain.subspan(1, std::min(chain.size(), judged_certificates_max) - 1)) {
    std::error_code ec;
    auto found = certificate::from_der(der, ec);
    if (found && found->holder_role() == role::authority)
      authorities.push_back(*std::move(found));
  }
  if (authorities.empty()) {
    out.verdict = errc::certificate_foreign;
    return out;
  }
  const auto& pin = expected.authority_pin;
  const auto authority =
    std::find_if(authorities.begin(), authorities.end(),
                 [&](const certificate& which) { return !pin || which.spki_sha256() == *pin; });
  const bool found = authority != authorities.end();
  if (on_authority)
    on_authority(found ? *authority : authorities.front());
  out.verdict =
    found ? judge_server_leaf(out.leaf, *authority, expected, now_s) : errc::pin_mismatch;
  return out;
}

} // namespace muster::net
