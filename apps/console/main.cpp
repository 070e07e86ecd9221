// muster: the administrator's console.

#include "apps/common/exit_codes.hpp"
#include "apps/console/console.hpp"
#include "net/tls_context.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

muster::console::moment_us now() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

} // namespace

int main(int argc, char** argv) {
  if (!muster::net::running_on_boringssl()) {
    std::fputs("muster: another TLS library than ours is loaded into this process\n", stderr);
    return muster::exit_failed;
  }
  muster::console::system_terminal person;
  muster::console::surroundings world{person, muster::console::connect_https, now,
                                      muster::console::profile_directory(), environment};
  return muster::console::run(world, {argv + 1, argv + argc});
}
