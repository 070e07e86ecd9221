#include "apps/load/console_call.hpp"

#include "apps/console/failure.hpp"
#include "apps/console/profile.hpp"
#include "apps/console/transport.hpp"

#include <utility>

namespace muster::load {

console::api logged_in_console() {
  std::string problem;
  const auto login = console::load_profile(console::profile_directory(), problem);
  if (!login)
    throw console::failure(exit_failed, problem.empty()
                                          ? "nobody has logged in; see 'muster login --help'"
                                          : problem);
  return {console::connect_https, *login};
}

void console_call::post(const std::string& path, const std::string& body,
                        std::function<void(const std::string& problem)> done) {
  work_ = std::jthread([path, body, done = std::move(done)] {
    try {
      auto server = logged_in_console();
      static_cast<void>(server.post(path, body));
      done({});
    } catch (const console::failure& why) {
      done(why.text());
    }
  });
}

} // namespace muster::load
