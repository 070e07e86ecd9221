// audit, server status.
#include "apps/console/console.hpp"

#include <memory>

namespace muster::console {

namespace {

int show_audit(console& c, const std::string& since, const std::string& until, extent wanted) {
  query q;
  for (const auto& [name, text] : {std::pair{"since", since}, std::pair{"until", until}}) {
    if (text.empty())
      continue;
    const auto moment = parse_moment(text, c.world().now());
    if (!moment)
      throw failure(exit_usage, std::string("--") + name + ": '" + text +
                                  "' is no time; say 2h, 2026-11-24 or \"2026-11-24 16:30\"");
    q.emplace(name, std::to_string(*moment));
  }
  admin::audit_list list;
  const auto result = read_pages(c.server(), "/audit", q, wanted, list);
  if (c.json) {
    c.out_json(result.json);
    return exit_fine;
  }
  if (list.entries_size() == 0) {
    c.note("Nothing was recorded.\n");
    return exit_fine;
  }
  if (result.more)
    c.note("Older ones are left out; --all shows every one.\n");
  c.out(audit_text(list, c.look()));
  return exit_fine;
}

int show_server(console& c) {
  const auto json = c.server().get("/server");
  if (c.json)
    c.out_json(json);
  else
    c.out(server_text(answer_as<admin::server_status>(json), c.look()));
  return exit_fine;
}

} // namespace

void add_server_commands(CLI::App& app, console& c) {
  auto* audit = app.add_subcommand("audit", "who changed what");
  auto since = std::make_shared<std::string>();
  auto until = std::make_shared<std::string>();
  auto wanted = std::make_shared<extent>(extent{50, false});
  audit->add_option("--since", *since, "2h (ago), 2026-11-24 or \"2026-11-24 16:30\"")
    ->type_name("TIME");
  audit->add_option("--until", *until, "the same")->type_name("TIME");
  add_extent(*audit, *wanted);
  audit->callback([&c, since, until, wanted] {
    c.choose([&c, since, until, wanted] { return show_audit(c, *since, *until, *wanted); });
  });

  auto* server = app.add_subcommand("server", "the server itself");
  server->require_subcommand(1);
  auto* status = server->add_subcommand("status", "how it is doing");
  status->callback([&c] { c.choose([&c] { return show_server(c); }); });
}

} // namespace muster::console
