// apps.
#include "actors/rules/device_filter.hpp"
#include "apps/console/console.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace muster::console {

namespace {

struct application_flags {
  std::string pattern;
  std::string version;
  extent wanted;
};

bool has_wildcard(const std::string& pattern) {
  return pattern.find_first_of("*?") != std::string::npos;
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return text;
}

void say_more(console& c, bool more, const std::string& what) {
  if (more)
    c.note("There are more " + what + "; --all shows every one.\n");
}

/// Keeps what the whole pattern matches; the server knows beginnings only.
void keep_matching(const std::string& pattern, admin::application_list& list) {
  auto* items = list.mutable_applications();
  const auto wanted = lower(pattern);
  const auto end = std::remove_if(items->begin(), items->end(), [&](const auto& item) {
    return !rules::glob_matches(wanted, item.name());
  });
  items->erase(end, items->end());
}

int list_applications(console& c, const application_flags& flags) {
  query q;
  if (!flags.pattern.empty())
    q.emplace("prefix", flags.pattern.substr(0, flags.pattern.find_first_of("*?")));
  admin::application_list list;
  // What a wildcard in the middle leaves out is known only here: then all pages are looked at.
  auto wanted = flags.wanted;
  const auto wildcard = flags.pattern.find_first_of("*?");
  const bool filters = wildcard != std::string::npos && flags.pattern.substr(wildcard) != "*";
  wanted.all = wanted.all || filters;
  auto result = read_pages(c.server(), "/applications", q, wanted, list);
  if (filters) {
    keep_matching(flags.pattern, list);
    auto* items = list.mutable_applications();
    const auto most = static_cast<int>(std::min<std::uint64_t>(flags.wanted.limit, 1U << 30));
    if (!flags.wanted.all && items->size() > most) {
      items->DeleteSubrange(most, items->size() - most);
      result.more = true;
    }
    list.clear_next_cursor();
    result.json = body_of(list);
  }
  if (c.json) {
    c.out_json(result.json);
    return exit_fine;
  }
  if (list.applications_size() == 0) {
    c.note(flags.pattern.empty() ? "No device has told its applications yet.\n"
                                 : "No application matches '" + flags.pattern + "'.\n");
    return exit_fine;
  }
  c.out(application_counts_text(list, c.look()));
  say_more(c, result.more, "applications");
  return exit_fine;
}

[[noreturn]] void no_such_application(console& c, const std::string& name) {
  std::string text = "no application is called '" + name + "'";
  const auto near = answer_as<admin::application_list>(
    c.server().get("/applications", {{"prefix", name}, {"limit", "20"}}));
  std::string names;
  std::string last;
  for (const auto& item : near.applications()) {
    if (item.name() != last)
      names += (names.empty() ? "" : ", ") + item.name();
    last = item.name();
  }
  throw failure(exit_not_found, text + (names.empty() ? "" : "; beginning like it: " + names));
}

/// Who has which version of one application.
int show_application(console& c, const application_flags& flags) {
  query q{{"name", flags.pattern}};
  if (!flags.version.empty())
    q.emplace("version", flags.version);
  admin::application_owners owners;
  const auto result = read_pages(c.server(), "/application_devices", q, flags.wanted, owners);
  if (c.json) {
    c.out_json(result.json);
    return owners.owners_size() == 0 ? exit_not_found : exit_fine;
  }
  if (owners.owners_size() == 0) {
    if (!flags.version.empty())
      throw failure(exit_not_found, "no device has " + flags.pattern + " " + flags.version +
                                      "; see: muster apps " + flags.pattern);
    no_such_application(c, flags.pattern);
  }
  const auto look = c.look();
  if (flags.version.empty()) {
    admin::application_list counts;
    static_cast<void>(read_pages(c.server(), "/applications", {{"name", flags.pattern}},
                                 extent{page_items_max, false}, counts));
    c.out(application_counts_text(counts, look) + "\n");
  }
  c.out(owners_text(owners, look));
  say_more(c, result.more, "devices");
  return exit_fine;
}

} // namespace

void add_application_commands(CLI::App& app, console& c) {
  auto* apps =
    app.add_subcommand("apps", "applications in the fleet: versions, counts, who has them");
  auto flags = std::make_shared<application_flags>();
  apps
    ->add_option("pattern", flags->pattern,
                 "a name shows who has which version; a glob such as 'openssl*' counts")
    ->type_name("PATTERN");
  apps->add_option("--version-is", flags->version, "only this version")->type_name("VERSION");
  add_extent(*apps, flags->wanted);
  apps->callback([&c, flags] {
    c.choose([&c, flags] {
      const bool one = !flags->pattern.empty() && !has_wildcard(flags->pattern);
      if (!one && !flags->version.empty())
        throw failure(exit_usage, "--version-is goes with the name of one application");
      return one ? show_application(c, *flags) : list_applications(c, *flags);
    });
  });
}

} // namespace muster::console
