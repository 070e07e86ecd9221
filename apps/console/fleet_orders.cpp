#include "apps/console/fleet_orders.hpp"

#include "apps/common/utf8.hpp"

#include <charconv>

namespace muster::console {

namespace {

std::string header_of(const net::http::response& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers)
    if (key == name)
      return value;
  return {};
}

applied as_applied(std::string json) {
  applied out;
  out.result = answer_as<admin::fleet_result>(json);
  out.json = std::move(json);
  return out;
}

} // namespace

exported export_of(api& server, const query& which) {
  exported out;
  auto q = which;
  for (std::size_t pages = 0; pages < pages_max; ++pages) {
    const auto answer = server.get_whole("/fleet/export", q);
    const auto revision = header_of(answer, "muster-revision");
    std::from_chars(revision.data(), revision.data() + revision.size(), out.revision);
    if (!out.yaml.empty() && !answer.body.empty())
      out.yaml += "---\n";
    out.yaml += answer.body;
    const auto next = header_of(answer, "muster-next-cursor");
    if (next.empty())
      break;
    q.erase("cursor");
    q.emplace("cursor", next);
  }
  return out;
}

std::vector<rules::fleet_object> objects_in(const exported& from) {
  auto read = rules::read_fleet(from.yaml, "the server's answer");
  if (!read.problems.empty())
    throw failure(exit_failed, utf8::clean(read.problems.front()) +
                                 " (is the server's version another one?)");
  return std::move(read.objects);
}

applied apply_order(api& server, const admin::fleet_order& order) {
  return as_applied(server.post("/fleet/apply", body_of(order)));
}

applied change_group(api& server, const admin::group_change& change) {
  return as_applied(server.post("/groups/change", body_of(change)));
}

int tell(console& c, const applied& what, bool dry_run) {
  if (c.json)
    c.out_json(what.json);
  else
    c.out(fleet_result_text(what.result, c.look(), dry_run));
  return dry_run && what.result.steps_size() > 0 ? exit_pending : exit_fine;
}

void add_object(admin::fleet_order& order, const rules::fleet_object& object) {
  auto& file = *order.add_files();
  file.set_name(rules::title_of(object));
  file.set_text(rules::export_fleet({&object, 1}));
}

void add_removed(admin::fleet_order& order, rules::fleet_kind kind, const std::string& name,
                 const std::string& group) {
  auto& one = *order.add_removed();
  one.set_kind(std::string{rules::name_of(kind)});
  one.set_name(name);
  one.set_group(group);
}

int retry_conflict(const std::function<int()>& what) {
  try {
    return what();
  } catch (const conflict&) {
    return what();
  }
}

std::string bare_path(const std::string& path) {
  const auto first = path.find_first_not_of('/');
  return first == std::string::npos ? "" : path.substr(first, path.find_last_not_of('/') + 1 - first);
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_in(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

} // namespace muster::console
