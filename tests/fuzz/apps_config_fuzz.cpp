// Configuration comes from people and their tools: any bytes are settings or clear lines.
#include "apps/common/config_file.hpp"

#include <muster/assert.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster;
  using namespace std::chrono_literals;
  std::filesystem::path path = "/x";
  std::uint16_t port = 13000;
  bool keep = false;
  std::chrono::milliseconds period = 15min;
  std::uint64_t bytes = 1024;
  std::string level = "info";
  std::string address = "::";
  config::table settings;
  settings.path("data_directory", path, "where");
  settings.port("agents.port", port, "which", false);
  settings.address("agents.address", address, "where");
  settings.boolean("agents.keep", keep, "whether");
  settings.duration("sync.period", period, {1s, 24h}, "how often");
  settings.size("events.bytes_max", bytes, {1, 1 << 30}, "how much");
  settings.choice("log.level", level, {"info", "debug"}, "how loud");

  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto problems = config::read_text(text, "x.toml", settings);
  MUSTER_ASSERT(problems.size() <= config::problems_max + 1, "problems are bounded");
  for (const auto& problem : problems) {
    MUSTER_ASSERT(problem.starts_with("x.toml:"), "a problem names its file");
    for (const char c : problem)
      MUSTER_ASSERT(static_cast<unsigned char>(c) >= 0x20, "a problem is one line");
  }
  MUSTER_ASSERT(port != 0, "bounds hold whatever the file says");
  MUSTER_ASSERT(period >= 1s && period <= 24h, "bounds hold whatever the file says");
  MUSTER_ASSERT(bytes >= 1 && bytes <= 1 << 30, "bounds hold whatever the file says");
  MUSTER_ASSERT(level == "info" || level == "debug", "a choice is one of its words");
  const auto again = config::read_text(config::example(settings, "x"), "x.toml", settings);
  MUSTER_ASSERT(again.empty(), "the example is a good file");
  return 0;
}
