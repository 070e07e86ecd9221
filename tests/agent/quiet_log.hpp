#pragma once
// The log at level off for a test's duration: what is provoked on purpose need not be read.

#include <spdlog/spdlog.h>

namespace muster::test {

class quiet_log {
public:
  quiet_log() : before_(spdlog::get_level()) { spdlog::set_level(spdlog::level::off); }
  ~quiet_log() { spdlog::set_level(before_); }
  quiet_log(const quiet_log&) = delete;
  quiet_log& operator=(const quiet_log&) = delete;

private:
  spdlog::level::level_enum before_;
};

} // namespace muster::test
