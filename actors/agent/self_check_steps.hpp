#pragma once
// The steps of self_check that are about the way to the server, and how a step is made. For the
// sources of self_check only.

#include "actors/agent/self_check.hpp"

#include <string>
#include <utility>

namespace muster::actors::check_steps {

[[nodiscard]] inline check_step well(std::string name, std::string text) {
  return {std::move(name), check_verdict::ok, std::move(text), check_fault::none, {}};
}
[[nodiscard]] inline check_step left_out(std::string name, std::string why) {
  return {std::move(name), check_verdict::not_tried, std::move(why), check_fault::none, {}};
}
[[nodiscard]] inline check_step bad(std::string name, std::string text, check_fault whose,
                                    std::string remedy) {
  return {std::move(name), check_verdict::failed, std::move(text), whose, std::move(remedy)};
}

[[nodiscard]] check_step name(const check_facts& facts);
[[nodiscard]] check_step tcp(const check_facts& facts);
[[nodiscard]] check_step tls(const check_facts& facts);
[[nodiscard]] check_step plain(const check_facts& facts);

} // namespace muster::actors::check_steps
