#include "apps/common/logging.hpp"

#include "apps/common/patient_sink.hpp"
#include "apps/common/utf8.hpp"

#include <muster/assert.hpp>

#include <google/protobuf/stubs/logging.h>
#include <spdlog/formatter.h>
#include <spdlog/spdlog.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <utility>

namespace muster::logging {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

std::string_view as_view(const spdlog::string_view_t& text) {
  return {text.data(), text.size()};
}

void append(spdlog::memory_buf_t& to, std::string_view text) {
  to.append(text.data(), text.data() + text.size());
}

/// How severe, as syslog counts.
char priority(spdlog::level::level_enum level) {
  switch (level) {
  case spdlog::level::critical:
    return '2';
  case spdlog::level::err:
    return '3';
  case spdlog::level::warn:
    return '4';
  case spdlog::level::info:
    return '6';
  default:
    return '7';
  }
}

class journal_formatter final : public spdlog::formatter {
public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override {
    const char prefix[] = {'<', priority(message.level), '>'};
    append(to, {prefix, sizeof prefix});
    append(to, one_line(as_view(message.payload)));
    append(to, "\n");
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<journal_formatter>();
  }
};

std::string_view word_of(spdlog::level::level_enum level) {
  switch (level) {
  case spdlog::level::critical:
    return "FATAL";
  case spdlog::level::err:
    return "error";
  case spdlog::level::warn:
    return "warn ";
  case spdlog::level::info:
    return "info ";
  case spdlog::level::debug:
    return "debug";
  default:
    return "trace";
  }
}

class person_formatter final : public spdlog::formatter {
public:
  explicit person_formatter(bool coloured) : coloured_(coloured) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override {
    using namespace std::chrono;
    const auto since = message.time.time_since_epoch();
    const std::time_t second = duration_cast<seconds>(since).count();
    std::tm utc{};
    ::gmtime_r(&second, &utc);
    char time[48];
    auto length = std::strftime(time, sizeof time, "%Y-%m-%d %H:%M:%S", &utc);
    const auto thousandths = duration_cast<milliseconds>(since).count() % 1000;
    length += static_cast<std::size_t>(
      std::snprintf(time + length, sizeof time - length, ".%03dZ ", static_cast<int>(thousandths)));
    append(to, {time, length});
    const bool loud = coloured_ && message.level >= spdlog::level::warn;
    if (loud)
      append(to, message.level == spdlog::level::warn ? "\x1b[33m" : "\x1b[31m");
    append(to, word_of(message.level));
    if (loud)
      append(to, "\x1b[0m");
    append(to, " ");
    append(to, one_line(as_view(message.payload)));
    append(to, "\n");
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<person_formatter>(coloured_);
  }

private:
  bool coloured_;
};

} // namespace

const std::vector<std::string>& level_names() {
  static const std::vector<std::string> names{"trace", "debug", "info", "warning", "error", "off"};
  return names;
}

std::string one_line(std::string_view message) {
  std::string line;
  line.reserve(message.size());
  while (!message.empty()) {
    auto rest = message;
    const auto c = utf8::take(rest);
    const auto character = message.substr(0, message.size() - rest.size());
    message = rest;
    if (c && !utf8::is_control(*c)) {
      line += character;
      continue;
    }
    for (const char byte : character) {
      const auto value = static_cast<unsigned char>(byte);
      line += "\\x";
      line += hex_digits[value >> 4];
      line += hex_digits[value & 15];
    }
  }
  return line;
}

namespace {

/// Protobuf writes to stderr about every message with bad text in it: a stranger could fill the
/// log. What was wrong with a message is told by whoever reads it.
void take_protobuf_words(google::protobuf::LogLevel, const char*, int, const std::string& words) {
  spdlog::debug("protobuf: {}", one_line(words));
}

} // namespace

bool is_journal(const char* journal_stream, int descriptor) {
  if (journal_stream == nullptr)
    return false;
  // DEVICE:INODE of the stream that systemd gave us; a child's stderr may be another one.
  const std::string_view text{journal_stream};
  const auto colon = text.find(':');
  struct stat status {};
  if (colon == std::string_view::npos || ::fstat(descriptor, &status) != 0)
    return false;
  return text.substr(0, colon) == std::to_string(status.st_dev) &&
         text.substr(colon + 1) == std::to_string(status.st_ino);
}

void start(std::string_view level) {
  const auto& names = level_names();
  const auto found = std::find(names.begin(), names.end(), level);
  MUSTER_ASSERT(found != names.end(), "levels are checked where settings are read");
  auto sink = std::make_shared<patient_sink>(STDERR_FILENO);
  auto logger = std::make_shared<spdlog::logger>("muster", std::move(sink));
  if (is_journal(std::getenv("JOURNAL_STREAM"), STDERR_FILENO)) {
    logger->set_formatter(std::make_unique<journal_formatter>());
  } else {
    const bool coloured = ::isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
    logger->set_formatter(std::make_unique<person_formatter>(coloured));
  }
  logger->set_level(spdlog::level::from_str(*found));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  google::protobuf::SetLogHandler(take_protobuf_words);
}

} // namespace muster::logging
