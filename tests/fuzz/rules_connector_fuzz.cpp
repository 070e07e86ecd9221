// Connector files, and the settings files of daemons in all their forms.
#include "actors/rules/connector.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace muster::rules;

namespace {

void connector_file(std::string_view text) {
  const auto out = read_connector(text, "x.toml");
  MUSTER_ASSERT(out.good.has_value() == out.problems.empty(), "a connector, or what is wrong with it");
  for (const auto& problem : out.problems)
    MUSTER_ASSERT(problem.find('\n') == std::string::npos, "a problem is one line");
  if (!out.good)
    return;
  MUSTER_ASSERT((out.good->mode & 07002) == 0, "nobody else can write the file");
  MUSTER_ASSERT(out.good->file.starts_with('/'), "the file is somewhere");
  for (const auto* command : {&out.good->check, &out.good->reload, &out.good->status})
    MUSTER_ASSERT(command->empty() || command->front().starts_with('/'), "a program is somewhere");
}

void settings_text(std::string_view text, const settings_file_style& style) {
  text_problem problem;
  const auto document = read_settings(text, style, problem);
  MUSTER_ASSERT(document || !problem.what.empty(), "a refused file is explained");
  std::string why;
  const auto written = document ? write_settings(*document, style, why) : std::nullopt;
  if (!written)
    return;
  const auto again = read_settings(*written, style, problem);
  MUSTER_ASSERT(again, "what we write can be read");
  MUSTER_ASSERT(write_settings(*again, style, why) == written, "and says the same");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 5) {
    case 0: settings_text(text, {settings_format::ini, flag_words::true_false, "=", ""}); break;
    case 1: settings_text(text, {settings_format::lines, flag_words::yes_no, " ", ""}); break;
    case 2: settings_text(text, {settings_format::lines, flag_words::bare, ":", ""}); break;
    case 3: {
      settings_file_style style{settings_format::filled, flag_words::yes_no, " ", std::string{text}};
      auto document = settings_value::empty_map();
      document.set("a", settings_value::list{settings_value{1}, settings_value{true}});
      std::string why;
      const auto out = write_settings(document, style, why);
      MUSTER_ASSERT(out || !why.empty(), "what cannot be written is explained");
      MUSTER_ASSERT(!out || !template_problem(text), "what can be filled is a template");
      break;
    }
    default: connector_file(text); break;
  }
  return 0;
}
