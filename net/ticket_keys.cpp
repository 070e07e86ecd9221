#include "net/ticket_keys.hpp"

#include "net/certificate.hpp"
#include "net/private_file.hpp"

#include <openssl/mem.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <string>
#include <string_view>

namespace muster::net {

namespace {

using key = ticket_keys::key;
using pair = ticket_keys::pair;

constexpr std::string_view first_line = "muster ticket keys 1";
constexpr std::int64_t period_s = std::chrono::seconds(ticket_keys::period).count();
/// A clock that was set back by less than this is no reason for a new key.
constexpr std::int64_t clock_slack_s = 3'600;

key make_key(std::int64_t now_s) {
  key out;
  random_bytes(out.name);
  random_bytes(out.secret);
  out.made_at_s = now_s;
  return out;
}

bool usable(const key& which, std::int64_t now_s) {
  return now_s - which.made_at_s < 2 * period_s && which.made_at_s <= now_s + clock_slack_s;
}

bool seals(const key& which, std::int64_t now_s) {
  return now_s - which.made_at_s < period_s && which.made_at_s <= now_s + clock_slack_s;
}

/// What the pair becomes by now; the same pair when nothing is due.
std::shared_ptr<const pair> advance(const std::shared_ptr<const pair>& from, std::int64_t now_s) {
  const bool new_key_due = from == nullptr || !seals(from->current, now_s);
  const bool previous_is_over =
    from != nullptr && from->previous && !usable(*from->previous, now_s);
  if (!new_key_due && !previous_is_over)
    return from;
  auto next = std::make_shared<pair>();
  if (!new_key_due) {
    next->current = from->current;
    return next;
  }
  next->current = make_key(now_s);
  if (from != nullptr && usable(from->current, now_s))
    next->previous = from->current;
  return next;
}

// -- the file: a first line, then per key one line of name, secret and time -------------------

std::string line_of(const key& which) {
  return to_hex(which.name) + ' ' + to_hex(which.secret) + ' ' + std::to_string(which.made_at_s) +
         '\n';
}

std::string text_of(const pair& keys) {
  std::string out(first_line);
  out += '\n' + line_of(keys.current);
  if (keys.previous)
    out += line_of(*keys.previous);
  return out;
}

std::string_view take_until(std::string_view& text, char end) {
  const auto at = text.find(end);
  const auto part = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return part;
}

bool read_hex(std::string_view text, std::span<std::uint8_t> out) {
  auto data = from_hex(text);
  if (!data || data->size() != out.size())
    return false;
  std::copy(data->begin(), data->end(), out.begin());
  OPENSSL_cleanse(data->data(), data->size());
  return true;
}

std::optional<key> parse_line(std::string_view line) {
  key out;
  if (!read_hex(take_until(line, ' '), out.name) || !read_hex(take_until(line, ' '), out.secret))
    return std::nullopt;
  const auto end = line.data() + line.size();
  const auto [at, error] = std::from_chars(line.data(), end, out.made_at_s);
  if (error != std::errc{} || at != end)
    return std::nullopt;
  return out;
}

/// Null when it is not a file of ours.
std::shared_ptr<const pair> parse(std::string_view text) {
  if (take_until(text, '\n') != first_line)
    return nullptr;
  const auto current = parse_line(take_until(text, '\n'));
  if (!current)
    return nullptr;
  auto out = std::make_shared<pair>();
  out->current = *current;
  if (!text.empty())
    out->previous = parse_line(take_until(text, '\n'));
  return out;
}

std::error_code write(const std::filesystem::path& file, const pair& keys) {
  std::string problem;
  auto text = text_of(keys);
  const bool written = write_private_file(file, text, problem);
  OPENSSL_cleanse(text.data(), text.size());
  return written ? std::error_code{} : make_error_code(errc::key_file_bad);
}

/// Whether nothing can be read there, for a reason that new keys would not cure.
bool unreadable(const std::filesystem::path& file) {
  std::error_code ec;
  const auto found = std::filesystem::status(file, ec);
  return std::filesystem::exists(found) && !std::filesystem::is_regular_file(found);
}

} // namespace

ticket_keys::key::~key() {
  OPENSSL_cleanse(secret.data(), secret.size());
}

std::shared_ptr<ticket_keys> ticket_keys::load_or_make(const std::filesystem::path& file,
                                                       std::int64_t now_s, std::error_code& ec) {
  ec.clear();
  if (unreadable(file)) {
    ec = errc::key_file_bad;
    return nullptr;
  }
  std::string problem;
  auto text = read_private_file(file, problem);
  const auto found = text ? parse(*text) : nullptr;
  if (text)
    OPENSSL_cleanse(text->data(), text->size());
  auto keys = advance(found, now_s);
  if (keys != found)
    ec = write(file, *keys);
  if (ec)
    return nullptr;
  return std::shared_ptr<ticket_keys>(new ticket_keys(file, std::move(keys)));
}

std::shared_ptr<ticket_keys> ticket_keys::in_memory(std::int64_t now_s) {
  return std::shared_ptr<ticket_keys>(new ticket_keys({}, advance(nullptr, now_s)));
}

std::error_code ticket_keys::rotate_if_due(std::int64_t now_s) {
  // Held over the write, so that two callers do not overtake each other; keys() does not wait.
  const std::lock_guard rotating(rotation_);
  const auto before = keys();
  auto after = advance(before, now_s);
  if (after == before)
    return {};
  if (!file_.empty())
    if (const auto ec = write(file_, *after))
      return ec;
  const std::lock_guard lock(mutex_);
  pair_ = std::move(after);
  return {};
}

std::shared_ptr<const ticket_keys::pair> ticket_keys::keys() const {
  const std::lock_guard lock(mutex_);
  return pair_;
}

} // namespace muster::net
