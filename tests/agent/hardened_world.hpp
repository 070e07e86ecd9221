#pragma once
// A device whose sshd goes by a policy.

#include "tests/agent/keeper_world.hpp"

#include <string>
#include <vector>

namespace muster::test {

inline const auto hardened = policy("sshd", 7, "{PermitRootLogin: false, Port: 22}", {"PermitRootLogin"});
inline const auto moved = policy("sshd", 8, "{PermitRootLogin: false, Port: 2222}", {"PermitRootLogin"});
inline const std::string hardened_text = "PermitRootLogin no\nPort 22\n";
inline const std::string moved_text = "PermitRootLogin no\nPort 2222\n";

using strings = std::vector<std::string>;
inline const strings whole_way{"write " + sshd_file, "run /usr/sbin/sshd", "run /usr/bin/systemctl",
                        "run /usr/sbin/sshd"};

struct hardened_world : keeper_world {
  hardened_world() {
    give({hardened});
    end_commands();
    tick();
    machine.take_done();
    machine.changes_told.clear();
  }
};

inline std::string local_of(const wire::settings_state& state) {
  std::string problem;
  const auto document = rules::settings_from_bytes(state.local_values(), problem);
  return document ? rules::to_yaml(*document) : "";
}

} // namespace muster::test
