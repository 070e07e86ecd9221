#include "apps/common/config_flags.hpp"

#include <cstdio>

namespace muster::config {

flags::flags(CLI::App& app, table& settings, std::filesystem::path default_file)
  : settings_(settings), default_file_(std::move(default_file)) {
  file_option_ =
    app.add_option("--config", named_file_, "configuration file [" + default_file_.string() + "]")
      ->type_name("FILE");
  for (auto& s : settings.all()) {
    auto& f = flags_.emplace_back(flag{&s, nullptr, {}});
    const auto help = s.help + (s.in_file == form::boolean ? "" : " [" + s.default_text + "]");
    f.option = s.in_file == form::boolean ? app.add_flag(s.flag, f.text, help)
                                          : app.add_option(s.flag, f.text, help);
    if (s.in_file != form::boolean)
      f.option->type_name(s.in_file == form::number ? "N" : "TEXT");
    f.option->group("Settings");
  }
}

std::filesystem::path flags::file() const {
  return file_option_->count() > 0 ? std::filesystem::path{named_file_} : default_file_;
}

std::vector<std::string> flags::load() {
  auto problems = read_file(file(), file_option_->count() == 0, settings_);
  for (auto& f : flags_) {
    if (f.option->count() == 0)
      continue;
    auto problem = assign_text(*f.what, f.text, f.what->flag);
    if (!problem.empty())
      problems.push_back(std::move(problem));
  }
  return problems;
}

bool flags::load_or_complain(const std::string& program) {
  const auto problems = load();
  for (const auto& problem : problems)
    std::fprintf(stderr, "%s: %s\n", program.c_str(), problem.c_str());
  return problems.empty();
}

} // namespace muster::config
