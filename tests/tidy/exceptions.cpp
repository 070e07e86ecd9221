#include "tests/tidy/rules.hpp"

namespace muster::tidy {

const std::vector<exception>& exceptions() {
  static const std::vector<exception> list{};
  return list;
}

} // namespace muster::tidy
