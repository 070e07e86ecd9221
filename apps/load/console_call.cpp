#include "apps/load/console_call.hpp"

#include "apps/console/failure.hpp"
#include "apps/console/profile.hpp"
#include "apps/console/transport.hpp"

#include <nlohmann/json.hpp>

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

void console_call::begin(const std::string& kind, const std::string& target,
                         std::function<void(std::string problem)> done) {
  work_ = std::jthread([kind, target, done = std::move(done)] {
    try {
      auto server = logged_in_console();
      static_cast<void>(server.post("/calls", nlohmann::json{{"kind", kind}, {"target", target}}.dump()));
      done({});
    } catch (const console::failure& why) {
      done(why.text());
    }
  });
}

} // namespace muster::load
