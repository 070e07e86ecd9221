// The package database is written by dpkg and by whoever has broken it: any text is a list, whole
// or cut.
#include "actors/agent/probe/dpkg.hpp"
#include "net/wire/agent.pb.h"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace muster::actors::probe;

namespace {

/// Whatever was read must go over the wire.
void check_words(const package& p) {
  muster::wire::application item;
  item.set_name(p.name);
  item.set_version(p.version);
  item.set_architecture(p.architecture);
  item.set_vendor(p.maintainer);
  item.set_source(p.source);
  muster::wire::application back;
  MUSTER_ASSERT(back.ParseFromString(item.SerializeAsString()), "what was read is text");
  MUSTER_ASSERT(!p.name.empty() && !p.version.empty() && !p.source.empty(),
                "a package has a name and a version");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto whole = parse_dpkg_status(text);
  MUSTER_ASSERT(whole.packages.size() <= packages_max, "a list is bounded");
  for (const auto& p : whole.packages) {
    check_words(p);
  }
  const auto half = parse_dpkg_status(text.substr(0, size / 2));
  MUSTER_ASSERT(half.packages.size() <= whole.packages.size(), "a cut list has no more");
  for (std::size_t i = 0; i < half.packages.size(); ++i) {
    const auto& a = half.packages[i];
    const auto& b = whole.packages[i];
    MUSTER_ASSERT(a.name == b.name && a.version == b.version && a.size_bytes == b.size_bytes,
                  "a cut list begins as the whole one does");
  }
  return 0;
}
