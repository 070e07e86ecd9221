#include "net/notice.hpp"

#include "net/datagram_layout.hpp"

namespace muster::net {

namespace {

constexpr std::string_view notice_magic = "MUNO";
constexpr std::string_view acknowledgement_magic = "MUNA";
constexpr std::uint8_t version = 1;
constexpr std::size_t tag_at = notice_bytes - std::tuple_size_v<datagram_tag>;

bool is_reason(std::uint8_t value) {
  return value >= static_cast<std::uint8_t>(notice_reason::shutdown) &&
         value <= static_cast<std::uint8_t>(notice_reason::agent_stop);
}

/// What both datagrams begin with.
layout::writer begin(std::string_view magic, const notice& what) {
  layout::writer out(notice_bytes);
  out.text(magic);
  out.number(version);
  out.number(what.generation);
  out.bytes(what.device_id);
  out.bytes(what.boot_id);
  out.number(what.counter);
  return out;
}

/// False when it is no notice of this version.
bool read(std::string_view datagram, notice& out) {
  layout::reader in(datagram);
  if (in.text(notice_magic.size()) != notice_magic || in.number<std::uint8_t>() != version)
    return false;
  out.generation = in.number<std::uint32_t>();
  out.device_id = in.id();
  out.boot_id = in.id();
  out.counter = in.number<std::uint64_t>();
  const auto reason = in.number<std::uint8_t>();
  out.reason = static_cast<notice_reason>(reason);
  return is_reason(reason);
}

} // namespace

const char* word_of(notice_verdict verdict) {
  switch (verdict) {
  case notice_verdict::accepted:
    return "accepted";
  case notice_verdict::wrong_size:
    return "size";
  case notice_verdict::wrong_format:
    return "format";
  case notice_verdict::wrong_generation:
    return "generation";
  case notice_verdict::wrong_tag:
    return "tag";
  }
  return "other";
}

std::string make_notice(const notice& what, const datagram_key& notice_key) {
  auto out = begin(notice_magic, what);
  out.number(static_cast<std::uint8_t>(what.reason));
  out.bytes(datagram_tag_of(notice_key, out.so_far()));
  return out.finish(notice_bytes);
}

notice_verdict check_notice(std::string_view datagram, const datagram_keyring& keys, notice& out) {
  if (datagram.size() != notice_bytes)
    return notice_verdict::wrong_size;
  notice said;
  if (!read(datagram, said))
    return notice_verdict::wrong_format;
  if (!keys.knows(said.generation))
    return notice_verdict::wrong_generation;
  const auto tag =
    datagram_tag_of(keys.notice_key(said.generation, said.device_id), datagram.substr(0, tag_at));
  if (!equal_in_constant_time(der::view(tag), datagram.substr(tag_at)))
    return notice_verdict::wrong_tag;
  out = said;
  return notice_verdict::accepted;
}

std::string make_acknowledgement(const notice& what, const datagram_key& notice_key) {
  auto out = begin(acknowledgement_magic, what);
  out.bytes(datagram_tag_of(notice_key, out.so_far()));
  return out.finish(acknowledgement_bytes);
}

bool check_acknowledgement(std::string_view datagram, const notice& sent,
                           const datagram_key& notice_key) {
  // There is one right answer and the agent knows it: nothing to parse.
  return equal_in_constant_time(datagram, make_acknowledgement(sent, notice_key));
}

} // namespace muster::net
