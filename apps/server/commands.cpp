#include "apps/server/commands.hpp"

#include "apps/common/ask_secret.hpp"
#include "apps/common/clock.hpp"
#include "apps/common/exit_codes.hpp"
#include "apps/server/check_facts.hpp"
#include "apps/server/datagram_rotation.hpp"
#include "apps/server/local_control.hpp"
#include "apps/server/owner_role.hpp"
#include "net/certificate.hpp"
#include "net/identity_archive.hpp"
#include "net/private_file.hpp"

#include <cstdio>
#include <fstream>
#include <iterator>

namespace muster::server {

namespace {

constexpr std::size_t archive_bytes_max = 1024 * 1024;

int complain(const std::string& problem, int code = exit_failed) {
  std::fprintf(stderr, "muster-server: %s\n", problem.c_str());
  return code;
}

/// The archive's file is whose who asks; only the reading is done as the identity's owner.
std::optional<std::string> sealed_identity(const server_settings& settings,
                                           const std::string& passphrase, std::string& problem) {
  owner_role owner{settings.data_directory};
  if (!owner.assume(problem))
    return std::nullopt;
  return net::export_server_identity(settings.identity(), passphrase, problem);
}

} // namespace

int print_pin(const server_settings& settings) {
  const auto file = settings.identity() / "authority.pem";
  std::string problem;
  owner_role owner{settings.data_directory};
  const auto pem = owner.assume(problem) ? net::read_private_file(file, problem) : std::nullopt;
  if (!pem)
    return complain(problem.empty() ? file.string() + ": there is no identity yet; start the server once"
                                    : problem);
  std::error_code ec;
  const auto authority = net::certificate::from_pem(*pem, ec);
  if (ec || !authority)
    return complain(file.string() + ": is damaged");
  std::printf("%s\n", net::to_hex(authority->spki_sha256()).c_str());
  return exit_fine;
}

int change_password(const server_settings& settings, const std::string& user) {
  std::string problem;
  const auto password = ask_secret("new password of " + user, true, problem);
  if (!password)
    return complain(problem, exit_usage);
  if (!ask_for_password(settings.data_directory, user, *password, problem))
    return complain(problem);
  std::printf("changed; whoever was logged in as %s is logged out\n", user.c_str());
  return exit_fine;
}

int export_identity(const server_settings& settings, const std::filesystem::path& file) {
  std::string problem;
  const auto passphrase = ask_secret("passphrase", true, problem);
  if (!passphrase)
    return complain(problem, exit_usage);
  const auto archive = sealed_identity(settings, *passphrase, problem);
  if (!archive || !net::write_private_file(file, *archive, problem))
    return complain(problem);
  std::printf("%s has the identity, sealed; without the passphrase nobody can use it, you included\n",
              file.c_str());
  return exit_fine;
}

int import_identity(const server_settings& settings, const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string archive{std::istreambuf_iterator<char>{in}, {}};
  if (!in || archive.size() > archive_bytes_max)
    return complain(file.string() + ": cannot be read, or is no identity archive");
  std::string problem;
  const auto passphrase = ask_secret("passphrase", false, problem);
  if (!passphrase)
    return complain(problem, exit_usage);
  owner_role owner{settings.data_directory};
  if (!owner.assume(problem)
      || !net::import_server_identity(settings.identity(), archive, *passphrase, problem))
    return complain(problem);
  std::printf("%s is the identity now; agents that trusted it before still do\n",
              settings.identity().c_str());
  return exit_fine;
}

int rotate_datagram_keys(const server_settings& settings, bool force) {
  std::string problem;
  std::uint32_t newest = 0;
  std::uint32_t previous = 0;
  switch (ask_for_rotation(settings.data_directory, force, newest, previous, problem)) {
  case asked::answered:
    break;
  case asked::not_running: {
    owner_role owner{settings.data_directory};
    problem.clear();
    const auto secrets =
      owner.assume(problem)
        ? rotate_datagram_keys(settings.identity(), now_us() / 1'000'000, force, problem)
        : std::nullopt;
    if (!secrets)
      return complain(problem);
    newest = secrets->newest.generation;
    previous = secrets->previous ? secrets->previous->generation : 0;
    break;
  }
  case asked::not_allowed:
    return complain(problem + "; try again as root");
  case asked::failed:
    return complain(problem);
  }
  std::printf("generation %u is the newest: each device gets it at its next connection\n"
              "generation %u is valid until the next rotation\n",
              newest, previous);
  return exit_fine;
}

int check(const server_settings& settings, bool json) {
  const auto found = check_server(settings);
  std::printf("%s", (json ? as_json(found) : as_lines(found)).c_str());
  return exit_code_of(found);
}

} // namespace muster::server
