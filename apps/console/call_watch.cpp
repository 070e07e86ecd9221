#include "apps/console/call_watch.hpp"

#include "apps/common/utf8.hpp"

#include <algorithm>

namespace muster::console {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_pause{50};
constexpr milliseconds pause_max{1000};
/// In a row; with the longest pause, half a minute.
constexpr int failures_max = 30;

std::uint64_t count_of(const admin::call& call, const char* step) {
  const auto at = call.by_step().find(step);
  return at == call.by_step().end() ? 0 : at->second;
}

} // namespace

call_watch::call_watch(console& c, std::uint64_t call, watch_options options)
  : c_(c), path_("/calls/" + std::to_string(call)), options_(options),
    begun_us_(c.world().now()) {}

admin::call call_watch::run() {
  auto& person = c_.world().person;
  auto pause = first_pause;
  admin::call last;
  while (true) {
    last = ask();
    if (is_over(last) || person.interrupted())
      break;
    const auto waited = milliseconds{(c_.world().now() - begun_us_) / 1000};
    if (options_.timeout && waited >= *options_.timeout)
      break;
    show(call_progress_line(last, c_.look().look.width));
    person.wait(options_.timeout ? std::min(pause, *options_.timeout - waited) : pause);
    if (person.interrupted())
      break;
    pause = std::min(pause * 2, pause_max);
  }
  show({});
  return last;
}

admin::call call_watch::ask() {
  while (true) {
    try {
      auto out = answer_as<admin::call>(c_.server().get(path_, {{"limit", "1"}}));
      failures_ = 0;
      out.clear_rows();
      return out;
    } catch (const failure& why) {
      if (!why.may_pass() || ++failures_ > failures_max || c_.world().person.interrupted()) {
        show({});
        throw;
      }
      c_.world().person.wait(pause_max);
    }
  }
}

bool call_watch::is_over(const admin::call& call) const {
  if (call.selecting())
    return false;
  auto left = count_of(call, "waiting") + count_of(call, "asked") + count_of(call, "waking");
  if (options_.until_done)
    left += count_of(call, "queued");
  return left == 0;
}

/// In place of what was shown last; nothing at all where nobody sees it change.
void call_watch::show(const std::string& line) {
  if (!c_.world().person.shows_progress() || c_.json)
    return;
  const auto width = utf8::columns(line);
  if (width == 0 && shown_width_ == 0)
    return;
  std::string text = "\r" + line;
  if (width < shown_width_)
    text.append(shown_width_ - width, ' ');
  c_.note(width == 0 ? text + "\r" : text);
  shown_width_ = width;
}

} // namespace muster::console
