#include "actors/rules/schedule.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace muster::rules {

namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::floor;
using std::chrono::local_days;

constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed",
                                                        "thu", "fri", "sat"};

std::string_view next_word(std::string_view& rest) noexcept {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const auto word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

/// A whole text as a number of at most `digits_max` digits.
std::optional<unsigned> number_of(std::string_view text, std::size_t digits_max) noexcept {
  unsigned out = 0;
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, out);
  const bool good = ec == std::errc{} && at == end && !text.empty() && text.size() <= digits_max;
  return good ? std::optional{out} : std::nullopt;
}

/// Exactly two digits.
std::optional<unsigned> two_digits(std::string_view text, unsigned most) noexcept {
  const auto out = text.size() == 2 ? number_of(text, 2) : std::nullopt;
  return out && *out <= most ? out : std::nullopt;
}

std::string two_digits(unsigned number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

std::optional<std::chrono::seconds> clock_of(std::string_view text, bool with_seconds) noexcept {
  if (text.size() != 5 && (text.size() != 8 || !with_seconds))
    return std::nullopt;
  const auto hour = two_digits(text.substr(0, 2), 23);
  const auto minute = two_digits(text.substr(3, 2), 59);
  const auto second = text.size() == 8 ? two_digits(text.substr(6, 2), 59) : std::optional{0U};
  if (!hour || !minute || !second || text[2] != ':' || (text.size() == 8 && text[5] != ':'))
    return std::nullopt;
  return std::chrono::hours{*hour} + std::chrono::minutes{*minute} + std::chrono::seconds{*second};
}

std::string clock_text(std::chrono::seconds time) {
  const auto all = static_cast<unsigned>(time.count());
  auto out = two_digits(all / 3600) + ":" + two_digits(all / 60 % 60);
  return all % 60 == 0 ? out : out + ":" + two_digits(all % 60);
}

/// Reads what follows the first word.
class schedule_reader {
public:
  schedule_reader(std::string_view rest, std::string& problem) : rest_(rest), problem_(problem) {}

  bool read(std::string_view kind, schedule& out) {
    if (kind == "now")
      return set(out, schedule_kind::now) && end();
    if (kind == "once")
      return set(out, schedule_kind::once) && moment(out) && end();
    if (kind == "every")
      return every(out) && end();
    if (kind == "daily")
      return set(out, schedule_kind::every_days) && time_of_day(out) && end();
    if (kind == "weekly")
      return set(out, schedule_kind::weekly) && weekdays(out) && time_of_day(out) && end();
    if (kind == "monthly")
      return set(out, schedule_kind::monthly) && day(out) && time_of_day(out) && end();
    if (kind == "at" && next_word(rest_) == "start")
      return set(out, schedule_kind::agent_start) && end();
    if (kind == "after")
      return set(out, schedule_kind::after_task) && task(out) && end();
    if (kind == "cron") {
      out.kind = schedule_kind::cron;
      out.expression = cron_expression::parse(rest_, problem_);
      return out.expression.has_value();
    }
    return fail(
      "a schedule is one of now, once, every, daily, weekly, monthly, at start, after TASK "
      "and cron");
  }

private:
  bool fail(std::string_view why) {
    problem_ = why;
    return false;
  }

  static bool set(schedule& out, schedule_kind kind) {
    out.kind = kind;
    return true;
  }

  bool end() {
    const auto more = next_word(rest_);
    return more.empty() || fail("what is '" + std::string{more} + "' behind it?");
  }

  bool moment(schedule& out) {
    const auto date = next_word(rest_);
    const auto time = next_word(rest_);
    const auto at =
      local_from_text(std::string{date} + (time.empty() ? "" : " ") + std::string{time});
    if (!at)
      return fail("a date and a time are written 2026-12-01 03:00");
    out.at = *at;
    return true;
  }

  bool time_of_day(schedule& out) {
    const bool at = next_word(rest_) == "at";
    const auto time = clock_of(next_word(rest_), false);
    if (!at || !time)
      return fail("the time of day is missing, as in 'at 03:00'");
    out.time_of_day = floor<std::chrono::minutes>(*time);
    return true;
  }

  bool every(schedule& out) {
    const auto count = number_of(next_word(rest_), 6);
    const auto unit = next_word(rest_);
    const bool in_days = unit == "days" || unit == "day";
    const unsigned factor = unit == "hours" || unit == "hour" ? 60 : 1;
    if (!count || (!in_days && factor == 1 && unit != "minutes" && unit != "minute"))
      return fail("it is written 'every 15 minutes', 'every 2 hours' or 'every 3 days at 03:00'");
    const auto most = in_days ? schedule::days_max : schedule::minutes_max / factor;
    if (*count == 0 || *count > most)
      return fail("there are 1 to " + std::to_string(most) + " " + std::string{unit} +
                  " between two runs");
    out.count = *count * factor;
    out.kind = in_days ? schedule_kind::every_days : schedule_kind::every;
    if (in_days && !time_of_day(out))
      return false;
    if (rest_.find_first_not_of(' ') == std::string_view::npos)
      return true;
    if (next_word(rest_) != "from")
      return fail("behind it can stand 'from 2026-12-01'");
    out.from = true;
    if (!moment(out))
      return false;
    if (in_days && out.at != floor<days>(out.at))
      return fail("days are counted from a date, without a time");
    return true;
  }

  bool weekdays(schedule& out) {
    auto list = next_word(rest_);
    bool more = true;
    while (more) {
      const auto comma = list.find(',');
      const auto name = list.substr(0, comma);
      more = comma != std::string_view::npos;
      list.remove_prefix(more ? comma + 1 : list.size());
      const auto at = std::find(weekday_names.begin(), weekday_names.end(), name);
      if (at == weekday_names.end())
        return fail("weekdays are mon, tue, wed, thu, fri, sat and sun");
      out.weekdays = static_cast<std::uint8_t>(out.weekdays | 1U << (at - weekday_names.begin()));
    }
    return true;
  }

  bool day(schedule& out) {
    const auto word = next_word(rest_);
    const auto number = word == "last" ? std::optional{31U} : number_of(word, 2);
    if (!number || *number == 0 || *number > 31)
      return fail("the day of the month is 1 to 31 or last");
    out.day = static_cast<std::uint8_t>(*number);
    return true;
  }

  bool task(schedule& out) {
    out.task = next_word(rest_);
    if (out.task.empty() || out.task.size() > schedule::task_bytes_max)
      return fail("the name of the other task has 1 to " +
                  std::to_string(schedule::task_bytes_max) + " characters");
    return true;
  }

  std::string_view rest_;
  std::string& problem_;
};

std::string every_text(const schedule& s) {
  std::string out;
  if (s.kind == schedule_kind::every_days) {
    out = s.count == 1 ? "daily" : "every " + std::to_string(s.count) + " days";
    if (s.count == 1 && s.from)
      out = "every 1 days";
    out += " at " + clock_text(s.time_of_day);
    return s.from ? out + " from " + local_text(s.at).substr(0, 10) : out;
  }
  const bool hours = s.count % 60 == 0;
  out = "every " + std::to_string(hours ? s.count / 60 : s.count) + (hours ? " hours" : " minutes");
  return s.from ? out + " from " + local_text(s.at) : out;
}

} // namespace

std::optional<schedule> schedule::parse(std::string_view text, std::string& problem) {
  if (text.size() > text_bytes_max) {
    problem = "a schedule has at most " + std::to_string(text_bytes_max) + " characters";
    return std::nullopt;
  }
  // Names of tasks and cron expressions come back out of here: no line must be able to hide in one.
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    problem = "a schedule is one line";
    return std::nullopt;
  }
  schedule out;
  auto rest = text;
  const auto kind = next_word(rest);
  return schedule_reader{rest, problem}.read(kind, out) ? std::optional{std::move(out)}
                                                        : std::nullopt;
}

std::string schedule::text() const {
  switch (kind) {
  case schedule_kind::now:
    return "now";
  case schedule_kind::once:
    return "once " + local_text(at);
  case schedule_kind::every:
  case schedule_kind::every_days:
    return every_text(*this);
  case schedule_kind::weekly: {
    std::string out = "weekly ";
    for (std::size_t i = 0; i < 7; ++i)
      if ((weekdays >> ((i + 1) % 7) & 1) != 0) // from Monday
        (out += out.back() == ' ' ? "" : ",") += weekday_names[(i + 1) % 7];
    return out + " at " + clock_text(time_of_day);
  }
  case schedule_kind::monthly:
    return "monthly " + (day == 31 ? std::string{"last"} : std::to_string(day)) + " at " +
           clock_text(time_of_day);
  case schedule_kind::agent_start:
    return "at start";
  case schedule_kind::after_task:
    return "after " + task;
  case schedule_kind::cron:
    return "cron " + expression->text();
  }
  return {};
}

std::string local_text(local_seconds at) {
  const auto day = floor<days>(at);
  const std::chrono::year_month_day date{day};
  return std::to_string(static_cast<int>(date.year())) + "-" +
         two_digits(static_cast<unsigned>(date.month())) + "-" +
         two_digits(static_cast<unsigned>(date.day())) + " " + clock_text(at - day);
}

std::optional<local_seconds> local_from_text(std::string_view text) noexcept {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-')
    return std::nullopt;
  const auto year = number_of(text.substr(0, 4), 4);
  const auto month = two_digits(text.substr(5, 2), 12);
  const auto day = two_digits(text.substr(8, 2), 31);
  if (!year || *year < 1970 || *year > 2999 || !month || !day)
    return std::nullopt;
  const auto date =
    std::chrono::year{static_cast<int>(*year)} / static_cast<int>(*month) / static_cast<int>(*day);
  if (!date.ok())
    return std::nullopt;
  const local_seconds midnight = local_days{date};
  if (text.size() == 10)
    return midnight;
  const auto time =
    text[10] == ' ' || text[10] == 'T' ? clock_of(text.substr(11), true) : std::nullopt;
  return time ? std::optional{midnight + *time} : std::nullopt;
}

} // namespace muster::rules
