// token create, token list, token revoke.
#include "apps/common/quantities.hpp"
#include "apps/common/utf8.hpp"
#include "apps/console/console.hpp"

#include <algorithm>
#include <memory>
#include <vector>

namespace muster::console {

namespace {

struct token_flags {
  std::string name;
  std::string expires = "24h";
  std::string group;
  std::uint32_t uses = 0;
  bool quiet = false;
};

/// HOST:PORT for agents: what the server says, or the name under which we know it.
std::string agents_endpoint(const admin::token& t, const profile& server) {
  constexpr const char* agents_port = "13000";
  const auto& told = t.server();
  const auto colon = told.rfind(':');
  const auto host = told.substr(0, colon);
  const auto port = colon == std::string::npos ? std::string{agents_port} : told.substr(colon + 1);
  if (!host.empty() && host != "[::]" && host != "0.0.0.0" && host != "::")
    return told;
  const bool v6 = server.host.find(':') != std::string::npos;
  return (v6 ? "[" + server.host + "]" : server.host) + ":" + port;
}

std::int64_t lifetime_of(const std::string& text) {
  if (text == "never")
    return -1;
  const auto d = parse_duration(text);
  const auto seconds = d ? d->count() / 1000 : 0;
  if (seconds <= 0)
    throw failure(exit_usage, "--expires: '" + text + "' is no duration; say 24h, 30d or never");
  return seconds;
}

int create_token(console& c, const token_flags& flags) {
  admin::token_order order;
  order.set_name(flags.name);
  order.set_lifetime_s(lifetime_of(flags.expires));
  order.set_uses_max(flags.uses);
  order.set_group(flags.group);
  const auto json = c.server().post("/tokens", body_of(order));
  if (c.json) {
    c.out_json(json);
    return exit_fine;
  }
  const auto made = answer_as<admin::token>(json);
  if (flags.quiet)
    c.out(made.secret() + "\n");
  else
    c.out(new_token_text(made, agents_endpoint(made, c.server().server()), c.look()));
  return exit_fine;
}

int list_tokens(console& c) {
  const auto json = c.server().get("/tokens");
  if (c.json) {
    c.out_json(json);
    return exit_fine;
  }
  const auto list = answer_as<admin::token_list>(json);
  if (list.tokens_size() == 0)
    c.note("There are no enrolment tokens; see: muster token create\n");
  else
    c.out(tokens_text(list, c.look()));
  return exit_fine;
}

/// By id, the beginning of one, or a name; one that is revoked does not stand in the way of another
/// of the same name.
admin::token token_called(console& c, const std::string& name) {
  const auto list = answer_as<admin::token_list>(c.server().get("/tokens"));
  std::vector<admin::token> found;
  for (const auto& t : list.tokens()) {
    if (t.id() == name)
      return t;
    if (t.name() == name || t.id().starts_with(name))
      found.push_back(t);
  }
  if (found.empty())
    throw failure(exit_not_found, "there is no token '" + name + "'; see: muster token list");
  std::stable_partition(found.begin(), found.end(), [](const auto& t) { return !t.revoked(); });
  if (found.size() > 1 && !found[1].revoked())
    throw failure(exit_not_found,
                  "'" + name + "' means several tokens; give an id, see: muster token list");
  return found.front();
}

int revoke_token(console& c, const std::string& name) {
  const auto t = token_called(c, name);
  c.server().remove("/tokens/" + t.id());
  c.out("Revoked token " +
        (t.name().empty() ? t.id() : utf8::clean(t.name()) + " (" + t.id() + ")") +
        "; devices that enrolled with it stay.\n");
  return exit_fine;
}

} // namespace

void add_token_commands(CLI::App& app, console& c) {
  auto* token = app.add_subcommand("token", "enrolment tokens, which let new devices in");
  token->require_subcommand(1);

  auto* create = token->add_subcommand("create", "make one and show the command for clients");
  auto flags = std::make_shared<token_flags>();
  create->add_option("--name", flags->name, "what it is for");
  create->add_option("--expires", flags->expires, "24h, 30d or never")
    ->type_name("TIME")
    ->capture_default_str();
  create->add_option("--uses", flags->uses, "for so many devices; 0: any number")
    ->type_name("N")
    ->capture_default_str();
  create->add_option("--group", flags->group, "its devices go there; else where the rules say")
    ->type_name("GROUP");
  create->add_flag("--quiet,-q", flags->quiet, "print the token alone");
  create->callback([&c, flags] { c.choose([&c, flags] { return create_token(c, *flags); }); });

  auto* list = token->add_subcommand("list", "the tokens there are");
  list->callback([&c] { c.choose([&c] { return list_tokens(c); }); });

  auto* revoke = token->add_subcommand("revoke", "let nobody in with it any more");
  auto name = std::make_shared<std::string>();
  revoke->add_option("token", *name, "id or name")->type_name("TOKEN")->required();
  revoke->callback([&c, name] { c.choose([&c, name] { return revoke_token(c, *name); }); });
}

} // namespace muster::console
