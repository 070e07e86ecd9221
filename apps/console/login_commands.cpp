// login, logout, passwd, whoami.
#include "apps/console/console.hpp"

#include <fstream>
#include <iterator>
#include <memory>

namespace muster::console {

namespace {

constexpr std::size_t password_bytes_max = 1024;

struct login_flags {
  std::string url;
  std::string pin;
  std::string ca_file;
  std::string user;
  std::string password_file;
};

std::string read_whole(const std::string& file) {
  std::ifstream in(file == "-" ? "/dev/stdin" : file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad())
    throw failure(exit_usage, file + ": cannot be read");
  return text;
}

/// From the file, the environment or the person, in this order. Never from the command line, which
/// every user of the machine can see.
std::string password_of(console& c, const std::string& file, const char* variable,
                        const std::string& question) {
  if (!file.empty()) {
    auto text = read_whole(file);
    text.erase(std::min(text.find_first_of("\r\n"), text.size()));
    if (text.empty() || text.size() > password_bytes_max)
      throw failure(exit_usage, file + ": the first line is no password");
    return text;
  }
  if (const auto text = c.world().environment(variable); text && !text->empty())
    return *text;
  if (!c.world().person.can_ask())
    throw failure(exit_usage, std::string("nobody can be asked for a password here; set ") +
                                variable + " or give a file");
  const auto text = c.world().person.ask(question, true);
  if (!text || text->empty())
    throw failure(exit_declined, "no password given");
  return *text;
}

std::string user_of(console& c, const std::string& given) {
  if (!given.empty())
    return given;
  if (const auto text = c.world().environment("MUSTER_USER"); text && !text->empty())
    return *text;
  if (!c.world().person.can_ask())
    return "admin";
  const auto text = c.world().person.ask("User [admin]: ", false);
  if (!text)
    throw failure(exit_declined, "no user given");
  return text->empty() ? "admin" : *text;
}

/// Fills in how the server at this address proves itself, as far as we know.
void trust_known(console& c, const login_flags& flags, profile& p) {
  if (!flags.pin.empty()) {
    const auto pin = parse_pin(flags.pin);
    if (!pin)
      throw failure(exit_usage, "--pin: give the 64 hexadecimal digits that the server prints");
    p.pin = *pin;
    return;
  }
  if (!flags.ca_file.empty()) {
    p.trust_pem = read_whole(flags.ca_file);
    return;
  }
  std::string ignored;
  const auto known = load_profile(c.world().directory, ignored);
  if (known && known->url() == p.url()) {
    p.pin = known->pin;
    p.trust_pem = known->trust_pem;
    p.server_id = known->server_id;
  }
}

/// The first time: the person compares, and answers for what is trusted from now on.
std::unique_ptr<transport> meet(console& c, profile& p) {
  first_contact found;
  std::string problem;
  auto connection = c.world().connect(p, &found, problem);
  if (connection == nullptr)
    throw failure(exit_unreachable, problem);
  if (found.pin.empty())
    return connection;
  if (!c.world().person.can_ask())
    throw failure(exit_unreachable,
                  p.url() + " is not known here and nobody can be asked; give --pin with the "
                            "fingerprint that the server prints when it starts");
  c.note("First contact with " + p.url() + ". Its authority's fingerprint (SHA-256):\n\n  " +
         pin_for_people(found.pin) + "\n  " + found.pin +
         "\n\nThe server prints the same when it starts.\n");
  c.confirm("Trust this server from now on?", false);
  p.pin = found.pin;
  return connection;
}

std::unique_ptr<transport> connect_known(console& c, const profile& p) {
  std::string problem;
  auto connection = c.world().connect(p, nullptr, problem);
  if (connection == nullptr)
    throw failure(exit_unreachable, problem);
  return connection;
}

int log_in(console& c, const login_flags& flags) {
  if (c.world().directory.empty())
    throw failure(exit_failed, "there is no HOME to keep the log-in in; set MUSTER_CONFIG");
  std::string problem;
  auto p = parse_url(flags.url, problem);
  if (!p)
    throw failure(exit_usage, problem);
  trust_known(c, flags, *p);
  const bool known = !p->pin.empty() || !p->trust_pem.empty();
  // Before anybody types a password: is this the server, and does it answer?
  auto connection = known ? connect_known(c, *p) : meet(c, *p);
  admin::login_request request;
  request.set_user(user_of(c, flags.user));
  request.set_password(
    password_of(c, flags.password_file, "MUSTER_PASSWORD", "Password of " + request.user() + ": "));
  api server{std::move(connection), *p};
  const auto json = server.post("/login", body_of(request));
  const auto reply = answer_as<admin::login_reply>(json);
  p->user = request.user();
  p->token = reply.token();
  p->expires_us = reply.expires_us();
  p->server_id = reply.server_id();
  if (!save_profile(c.world().directory, *p, problem))
    throw failure(exit_failed, problem);
  c.out("Logged in to " + p->url() + " as " + p->user + "; the log-in ends " +
        c.look().time(p->expires_us) + ".\n");
  return exit_fine;
}

int log_out(console& c) {
  std::string problem;
  auto p = load_profile(c.world().directory, problem);
  if (!p)
    throw failure(problem.empty() ? exit_unreachable : exit_failed,
                  problem.empty() ? "not logged in" : problem);
  if (p->token.empty()) {
    c.note("Not logged in to " + p->url() + ".\n");
    return exit_fine;
  }
  std::string left_behind;
  try {
    c.server().post("/logout");
  } catch (const failure& why) {
    // A log-in the server has forgotten is what was wanted.
    left_behind = why.code() == exit_unreachable ? std::string{} : why.text();
  }
  // Whom we trust stays, so that the next log-in asks nothing that was answered before.
  p->token.clear();
  p->expires_us = 0;
  if (!save_profile(c.world().directory, *p, problem))
    throw failure(exit_failed, problem);
  if (!left_behind.empty())
    throw failure(exit_failed, "forgotten here, but not by the server: " + left_behind);
  c.out("Logged out of " + p->url() + ".\n");
  return exit_fine;
}

int change_password(console& c, const std::string& old_file, const std::string& new_file) {
  auto& server = c.server();
  admin::password_change change;
  change.set_old_password(password_of(c, old_file, "MUSTER_PASSWORD", "Old password: "));
  change.set_new_password(password_of(c, new_file, "MUSTER_NEW_PASSWORD", "New password: "));
  const bool was_typed = new_file.empty() && !c.world().environment("MUSTER_NEW_PASSWORD");
  if (was_typed) {
    const auto again = c.world().person.ask("New password again: ", true);
    if (!again || *again != change.new_password())
      throw failure(exit_declined, "the two new passwords differ; nothing was changed");
  }
  server.post("/password", body_of(change));
  c.out("Password changed; all other log-ins of " + server.server().user + " have ended.\n");
  return exit_fine;
}

int who_am_i(console& c) {
  const auto json = c.server().get("/whoami");
  if (c.json) {
    c.out_json(json);
    return exit_fine;
  }
  const auto who = answer_as<admin::whoami>(json);
  const auto& p = c.server().server();
  fact_sheet sheet;
  sheet.add("User", {who.user(), tone::strong});
  sheet.add("Role", who.role());
  sheet.add("Server", p.url());
  sheet.add("Server id", who.server_id());
  sheet.add("Version", who.server_version());
  sheet.add("Log-in ends", c.look().time(p.expires_us));
  c.out(sheet.text(c.look().look));
  return exit_fine;
}

} // namespace

void add_login_commands(CLI::App& app, console& c) {
  auto* login = app.add_subcommand("login", "log in to a server");
  auto flags = std::make_shared<login_flags>();
  login->add_option("url", flags->url, "https://HOST[:PORT]")->type_name("URL")->required();
  login->add_option("--pin", flags->pin, "fingerprint (SHA-256) of the server's authority")
    ->type_name("SHA256");
  login
    ->add_option("--ca", flags->ca_file,
                 "PEM of the authorities to trust, if the server shows an operator's certificate")
    ->type_name("FILE")
    ->excludes("--pin");
  login->add_option("--user", flags->user, "user [asked for, or MUSTER_USER]");
  login
    ->add_option("--password-file", flags->password_file,
                 "password: the file's first line; - is stdin [asked for, or MUSTER_PASSWORD]")
    ->type_name("FILE");
  login->callback([&c, flags] { c.choose([&c, flags] { return log_in(c, *flags); }); });

  auto* logout = app.add_subcommand("logout", "end the log-in, here and on the server");
  logout->callback([&c] { c.choose([&c] { return log_out(c); }); });

  auto* passwd = app.add_subcommand("passwd", "change your password");
  auto old_file = std::make_shared<std::string>();
  auto new_file = std::make_shared<std::string>();
  passwd->add_option("--password-file", *old_file, "old one [asked for, or MUSTER_PASSWORD]")
    ->type_name("FILE");
  passwd
    ->add_option("--new-password-file", *new_file, "new one [asked for, or MUSTER_NEW_PASSWORD]")
    ->type_name("FILE");
  passwd->callback([&c, old_file, new_file] {
    c.choose([&c, old_file, new_file] { return change_password(c, *old_file, *new_file); });
  });

  auto* whoami = app.add_subcommand("whoami", "as whom you are logged in, and where");
  whoami->callback([&c] { c.choose([&c] { return who_am_i(c); }); });
}

} // namespace muster::console
