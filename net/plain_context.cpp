#include "net/plain_context.hpp"

#include <muster/assert.hpp>

#include <utility>

namespace muster::net {

namespace {

bool belongs_to(const key_pair& key, const certificate& leaf) {
  return key.has_private_part() && key.spki_sha256() == leaf.spki_sha256();
}

} // namespace

server_plain_context::server_plain_context(key_pair key, const certificate& leaf,
                                           certificate authority)
  : key_(std::move(key)), authority_(std::move(authority)), chain_{leaf.der(), authority_.der()} {}

std::shared_ptr<const server_plain_context>
server_plain_context::make(const key_pair& key, const certificate& leaf,
                           const certificate& authority, std::error_code& ec) {
  ec.clear();
  if (leaf.holder_role() != role::server)
    ec = errc::certificate_wrong_role;
  else if (!leaf.issued_by(authority))
    ec = errc::certificate_foreign;
  else if (!belongs_to(key, leaf))
    ec = errc::key_file_bad;
  if (ec)
    return nullptr;
  return std::shared_ptr<const server_plain_context>(
    new server_plain_context(key, leaf, authority));
}

client_plain_context::client_plain_context(client_plain_options options)
  : options_(std::move(options)) {}

std::shared_ptr<const client_plain_context>
client_plain_context::make(client_plain_options options, std::error_code& ec) {
  MUSTER_ASSERT(options.server.authority_pin && options.server.server_id,
                "an agent knows its server before it speaks without encryption");
  MUSTER_ASSERT(options.now_s, "validity is judged by some clock");
  ec.clear();
  if (options.leaf.holder_role() != role::device)
    ec = errc::certificate_wrong_role;
  else if (!belongs_to(options.key, options.leaf))
    ec = errc::key_file_bad;
  if (ec)
    return nullptr;
  return std::shared_ptr<const client_plain_context>(new client_plain_context(std::move(options)));
}

} // namespace muster::net
