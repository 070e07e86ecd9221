#include "net/der.hpp"

#include <muster/assert.hpp>

#include <openssl/mem.h>

#include <chrono>
#include <cstdio>

namespace muster::net::der {

namespace {

void must(int ok) {
  MUSTER_ASSERT(ok == 1, "out of memory while writing DER");
}

/// The number in `digits` (decimal, no sign); -1 on anything else.
int number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9')
      return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

/// MMDDHHMMSSZ behind a year.
std::optional<std::int64_t> parse_time(int year, std::string_view rest) {
  if (rest.size() != 11 || rest.back() != 'Z' || year < 0)
    return std::nullopt;
  const int month = number(rest.substr(0, 2));
  const int day = number(rest.substr(2, 2));
  const int hour = number(rest.substr(4, 2));
  const int minute = number(rest.substr(6, 2));
  const int second = number(rest.substr(8, 2));
  if (month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 59)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok())
    return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return days * 86'400 + hour * 3'600 + minute * 60 + second;
}

} // namespace

bool take(CBS& in, unsigned tag, CBS& content) {
  return CBS_get_asn1(&in, &content, tag) == 1;
}

bool take_element(CBS& in, unsigned tag, std::string_view& element) {
  CBS whole;
  if (CBS_get_asn1_element(&in, &whole, tag) != 1)
    return false;
  element = view(whole);
  return true;
}

bool at_end(const CBS& in) {
  return CBS_len(&in) == 0;
}

bool take_signature_algorithm(CBS& in) {
  CBS algorithm;
  CBS oid;
  return take(in, CBS_ASN1_SEQUENCE, algorithm) && take(algorithm, CBS_ASN1_OBJECT, oid) &&
         view(oid) == oid_ecdsa_sha256 && at_end(algorithm);
}

bool take_bit_string(CBS& in, CBS& content) {
  std::uint8_t unused_bits = 0;
  return take(in, CBS_ASN1_BITSTRING, content) && CBS_get_u8(&content, &unused_bits) == 1 &&
         unused_bits == 0;
}

std::optional<std::int64_t> take_time(CBS& in) {
  CBS content;
  unsigned tag = 0;
  if (CBS_get_any_asn1(&in, &content, &tag) != 1)
    return std::nullopt;
  const auto text = view(content);
  if (tag == CBS_ASN1_UTCTIME && text.size() == 13) {
    const int year = number(text.substr(0, 2));
    return year < 0 ? std::nullopt
                    : parse_time(year < 50 ? 2000 + year : 1900 + year, text.substr(2));
  }
  if (tag == CBS_ASN1_GENERALIZEDTIME && text.size() == 15)
    return parse_time(number(text.substr(0, 4)), text.substr(4));
  return std::nullopt;
}

writer::writer() {
  must(CBB_init(&cbb_, 512));
}

writer::~writer() {
  CBB_cleanup(&cbb_);
}

std::string writer::finish() {
  std::uint8_t* data = nullptr;
  std::size_t size = 0;
  must(CBB_finish(&cbb_, &data, &size));
  std::string out(reinterpret_cast<const char*>(data), size);
  OPENSSL_free(data);
  return out;
}

void open(CBB* parent, CBB* child, unsigned tag) {
  must(CBB_add_asn1(parent, child, tag));
}

void put(CBB* parent, std::string_view text) {
  must(CBB_add_bytes(parent, bytes(text), text.size()));
}

void put(CBB* parent, unsigned tag, std::string_view content) {
  CBB child;
  open(parent, &child, tag);
  put(&child, content);
  must(CBB_flush(parent));
}

void put_signature_algorithm(CBB* parent) {
  CBB algorithm;
  open(parent, &algorithm, CBS_ASN1_SEQUENCE);
  put(&algorithm, CBS_ASN1_OBJECT, oid_ecdsa_sha256);
  must(CBB_flush(parent));
}

void put_bit_string(CBB* parent, std::string_view content) {
  CBB child;
  open(parent, &child, CBS_ASN1_BITSTRING);
  must(CBB_add_u8(&child, 0));
  put(&child, content);
  must(CBB_flush(parent));
}

void put_time(CBB* parent, std::int64_t time_s) {
  const std::chrono::sys_seconds when{std::chrono::seconds{time_s}};
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{when - day};
  const int year = static_cast<int>(date.year());
  MUSTER_ASSERT(year >= 1950 && year <= 9999, "a certificate's time is outside what X.509 can say");
  char text[32];
  const bool short_form = year < 2050;
  const int size = std::snprintf(
    text, sizeof text, short_form ? "%02d%02u%02u%02d%02d%02dZ" : "%04d%02u%02u%02d%02d%02dZ",
    short_form ? year % 100 : year, static_cast<unsigned>(date.month()),
    static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
    static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  put(parent, short_form ? CBS_ASN1_UTCTIME : CBS_ASN1_GENERALIZEDTIME,
      {text, static_cast<std::size_t>(size)});
}

void put_name(CBB* parent, std::string_view common_name) {
  CBB name;
  CBB set;
  CBB attribute;
  open(parent, &name, CBS_ASN1_SEQUENCE);
  open(&name, &set, CBS_ASN1_SET);
  open(&set, &attribute, CBS_ASN1_SEQUENCE);
  put(&attribute, CBS_ASN1_OBJECT, oid_common_name);
  put(&attribute, CBS_ASN1_UTF8STRING, common_name);
  must(CBB_flush(parent));
}

} // namespace muster::net::der
