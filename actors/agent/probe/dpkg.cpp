#include "actors/agent/probe/dpkg.hpp"

#include "actors/agent/probe/text.hpp"
#include "net/wire/agent.pb.h"

#include <sys/stat.h>

#include <algorithm>
#include <tuple>

namespace muster::actors::probe {

namespace {

struct paragraph {
  package what;
  bool installed = false;
};

void read_field(std::string_view key, std::string_view value, paragraph& into) {
  if (key == "Package")
    into.what.name = clean(value);
  else if (key == "Status")
    into.installed = value.ends_with(" installed");
  else if (key == "Version")
    into.what.version = clean(value);
  else if (key == "Architecture")
    into.what.architecture = clean(value);
  else if (key == "Maintainer")
    into.what.maintainer = clean(value);
  else if (key == "Source")
    into.what.source = clean(value.substr(0, value.find(' '))); // a version may follow
  else if (key == "Installed-Size")
    into.what.size_bytes =
      std::min(number<std::uint64_t>(value).value_or(0), UINT64_C(1) << 40) * 1024;
  else if (key == "Multi-Arch")
    into.what.multi_arch_same = value == "same";
}

void finish(paragraph& now, package_list& out) {
  if (now.installed && !now.what.name.empty() && !now.what.version.empty() &&
      out.packages.size() < packages_max) {
    if (now.what.source.empty())
      now.what.source = now.what.name;
    out.packages.push_back(std::move(now.what));
  }
  now = {};
}

std::int64_t installed_at(const std::filesystem::path& info, const package& p) {
  const auto time_of = [&](const std::string& name) -> std::int64_t {
    struct stat about {};
    return ::stat((info / (name + ".list")).c_str(), &about) == 0 ? about.st_mtim.tv_sec : 0;
  };
  if (p.multi_arch_same)
    if (const auto time = time_of(p.name + ":" + p.architecture))
      return time;
  return time_of(p.name);
}

} // namespace

package_list parse_dpkg_status(std::string_view text) {
  package_list out;
  paragraph now;
  bool inside = false;
  out.complete = text.empty() || text.ends_with('\n');
  std::string_view line;
  while (take_line(text, line)) {
    if (line.empty()) {
      finish(now, out);
      inside = false;
      continue;
    }
    inside = true;
    const auto colon = line.find(':');
    if (line.front() == ' ' || line.front() == '\t' || colon == std::string_view::npos)
      continue; // goes on from the line before
    read_field(line.substr(0, colon), trim(line.substr(colon + 1)), now);
  }
  if (inside) // dpkg ends every paragraph with a blank line
    out.complete = false;
  return out;
}

bool read_applications(const std::filesystem::path& root, wire::applications& out) {
  out.Clear();
  const auto directory = root / "var/lib/dpkg";
  auto list = parse_dpkg_status(read_file(directory / "status", dpkg_status_bytes_max));
  if (!list.complete || list.packages.empty())
    return false;
  std::sort(list.packages.begin(), list.packages.end(), [](const package& a, const package& b) {
    return std::tie(a.name, a.architecture, a.version) <
           std::tie(b.name, b.architecture, b.version);
  });
  for (auto& p : list.packages) {
    auto& item = *out.add_items();
    item.set_installed_at_s(installed_at(directory / "info", p));
    item.set_name(std::move(p.name));
    item.set_version(std::move(p.version));
    item.set_architecture(std::move(p.architecture));
    item.set_vendor(std::move(p.maintainer));
    item.set_source(std::move(p.source));
    item.set_manager("dpkg");
    item.set_size_bytes(p.size_bytes);
  }
  return true;
}

} // namespace muster::actors::probe
