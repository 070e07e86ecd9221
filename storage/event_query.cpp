#include "storage/event_query.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace muster::storage {

namespace {

constexpr std::uint8_t severities = 4;

struct block {
  std::int64_t received_us = 0;
  record::event_block content;
};

/// The blocks of one severity, newest first, read ahead in slices. Blocks that share a receive time
/// are never divided between two slices.
class block_stream {
public:
  /// Blocks received before `until_us`; looks at no more than `blocks_max` of them.
  block_stream(const store& from, std::uint8_t severity, const event_query& query,
               std::int64_t until_us, std::size_t blocks_max)
    : from_(from), severity_(severity), device_(query.device), since_us_(query.since_us),
      below_us_(until_us), left_(blocks_max),
      day_(keys::bucket_of(until_us - 1)) {}

  /// Reads on when there is nothing ahead, as far as the bound allows.
  std::error_code fill() {
    bytes_ = 0;
    while (ahead_.empty() && !ended_ && left_ > 0) {
      if (const auto ec = device_ ? read_device() : read_all())
        return ec;
    }
    return {};
  }

  /// After fill(): nullptr when there is no more, or the bound is reached.
  [[nodiscard]] const block* head() const { return ahead_.empty() ? nullptr : &ahead_.front(); }
  /// The bound is reached, and there may be more below this moment (0: that is not so).
  [[nodiscard]] std::int64_t unknown_below() const {
    return ahead_.empty() && !ended_ ? below_us_ : 0;
  }

  block take() {
    auto out = std::move(ahead_.front());
    ahead_.pop_front();
    return out;
  }

private:
  /// Whether the next block may be read into this slice. Costs nothing inside a receive time.
  bool may_read(std::int64_t received_us) {
    if (received_us == below_us_)
      return true;
    if (left_ == 0 || bytes_ >= limits::query_ahead_bytes)
      return false;
    --left_;
    return true;
  }

  std::error_code keep(std::string_view value) {
    block next;
    if (const auto ec = records::decode(value, next.content))
      return ec;
    next.received_us = below_us_;
    bytes_ += value.size();
    ahead_.push_back(std::move(next));
    return {};
  }

  std::error_code read_all() {
    std::error_code problem;
    ended_ = true; // unless there is more than fits
    const auto range = keys::events_received(severity_, since_us_, below_us_);
    const auto ec = from_.scan(family::events, range, true, [&](auto key, auto value) {
      const auto at = keys::parse_event(key);
      if (!at) {
        problem = errc::corrupt;
      } else if (!may_read(at->received_us)) {
        ended_ = false;
      } else {
        below_us_ = at->received_us;
        problem = keep(value);
        return !problem;
      }
      return false;
    });
    return ec ? ec : problem;
  }

  /// One run of the device's entries in the index, or one step over those of others. The index has
  /// days in front of devices, so a device's entries lie apart; days without any entry cost nothing.
  std::error_code read_device() {
    if (below_us_ <= since_us_) {
      ended_ = true;
      return {};
    }
    std::error_code problem;
    ended_ = true;
    const auto first_day = keys::bucket_of(since_us_);
    const key_range range{keys::device_events_from(keys::device_bytes{}, severity_, first_day),
                          upper()};
    const auto ec = from_.scan(family::index, range, true, [&](auto key, auto) {
      const auto at = keys::parse_device_event(key);
      if (!at) {
        problem = errc::corrupt;
        return false;
      }
      if (at->device != *device_) {
        --left_;
        ended_ = !step_over(at->bucket);
        return false;
      }
      ended_ = at->received_us < since_us_;
      if (ended_ || !may_read(at->received_us))
        return false;
      below_us_ = at->received_us;
      day_ = at->bucket;
      problem = read_indexed(*at);
      return !problem;
    });
    return ec ? ec : problem;
  }

  /// Behind the last entry of the device that has not been read.
  [[nodiscard]] std::string upper() const {
    return day_ == keys::bucket_of(below_us_) ? keys::device_event(*device_, severity_, below_us_, 0)
                                              : keys::device_events(*device_, severity_, day_).upper;
  }

  /// The entry before ours belongs to another device. Of the same day: ours are in earlier days.
  /// Of an earlier day: ours may be in that day, behind it. False: there are no earlier days.
  bool step_over(std::uint32_t bucket) {
    if (bucket == day_ && bucket == 0)
      return false;
    day_ = bucket == day_ ? bucket - 1 : bucket;
    if (day_ < keys::bucket_of(INT64_MAX)) // whose end no number can name
      below_us_ = std::min(below_us_, (std::int64_t{day_} + 1) * keys::bucket_us);
    return true;
  }

  std::error_code read_indexed(const keys::device_event_key& at) {
    std::error_code problem;
    const auto key = keys::event(severity_, at.received_us, at.part);
    const auto value = from_.get(family::events, key, problem);
    // No value: its day has just been erased, and the index entry is next.
    return problem || !value ? problem : keep(*value);
  }

  const store& from_;
  const std::uint8_t severity_;
  const std::optional<keys::device_bytes> device_;
  const std::int64_t since_us_;
  std::int64_t below_us_; ///< what was received then or later has been read
  std::size_t left_;
  std::uint32_t day_; ///< with a device: which day of the index to look at
  std::size_t bytes_ = 0;
  std::deque<block> ahead_;
  bool ended_ = false;
};

found_event found(const record::event_block& in, const record::event& content) {
  found_event out;
  const auto& device = in.device();
  std::copy_n(device.begin(), std::min(device.size(), out.device.size()), out.device.begin());
  out.device_name = in.device_name();
  out.epoch = in.epoch();
  out.received_us = in.received_us();
  out.clock_offset_ms = in.clock_offset_ms();
  out.severity = static_cast<std::uint8_t>(in.severity());
  out.content = content;
  return out;
}

/// Everything that arrived together, by sequence from the greatest down.
std::vector<found_event> events_of(const std::vector<block>& together) {
  std::vector<found_event> out;
  for (const auto& b : together)
    for (const auto& e : b.content.events())
      out.push_back(found(b.content, e));
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return a.content.sequence() > b.content.sequence();
  });
  return out;
}

/// All severities as one stream.
class merger {
public:
  merger(const store& from, const event_query& query) : query_(query) {
    auto until = std::max<std::int64_t>(query.until_us, 0);
    if (query.after && query.after->received_us < until)
      until = query.after->received_us + (query.after->sequence > 0 ? 1 : 0);
    const std::uint8_t first = std::clamp<std::uint8_t>(query.severity_min, 1, severities);
    const auto share = std::max<std::size_t>(query.blocks_max / (severities + 1U - first), 1);
    for (auto severity = first; severity <= severities; ++severity)
      streams_.emplace_back(from, severity, query, until, share);
  }

  std::error_code run(event_page& out) {
    const auto limit = std::clamp<std::size_t>(query_.limit, 1, limits::query_rows_max);
    std::size_t bytes = 0;
    while (true) {
      std::vector<block> together;
      if (const auto ec = next(together, out.next))
        return ec;
      if (together.empty())
        return {};
      for (auto& event : events_of(together)) {
        if (!is_after(event))
          continue;
        bytes += event.content.ByteSizeLong();
        if (out.events.size() == limit || (!out.events.empty() && bytes > query_.bytes_max)) {
          const auto& last = out.events.back();
          out.next = event_cursor{last.received_us, last.content.sequence()};
          return {};
        }
        out.events.push_back(std::move(event));
      }
    }
  }

private:
  /// All blocks of the newest receive time. None: there are no more, or `stopped` says at which
  /// moment the bound on blocks was reached.
  std::error_code next(std::vector<block>& together, std::optional<event_cursor>& stopped) {
    std::int64_t newest = -1;
    std::int64_t unknown_below = 0;
    for (auto& stream : streams_) {
      if (const auto ec = stream.fill())
        return ec;
      if (stream.head() != nullptr)
        newest = std::max(newest, stream.head()->received_us);
      unknown_below = std::max(unknown_below, stream.unknown_below());
    }
    if (unknown_below > 0 && newest < unknown_below) {
      stopped = event_cursor{unknown_below, 0};
      return {};
    }
    for (auto& stream : streams_)
      while (stream.head() != nullptr && stream.head()->received_us == newest)
        together.push_back(stream.take());
    return {};
  }

  [[nodiscard]] bool is_after(const found_event& e) const {
    return !query_.after || e.received_us < query_.after->received_us
           || e.content.sequence() < query_.after->sequence;
  }

  const event_query& query_;
  std::vector<block_stream> streams_;
};

} // namespace

std::error_code find_events(const store& from, const event_query& query, event_page& out) {
  out = {};
  return merger(from, query).run(out);
}

} // namespace muster::storage
