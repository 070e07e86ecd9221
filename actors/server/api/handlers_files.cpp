// The fleet as files: applied, exported, and what it was before.

#include "actors/rules/settings_yaml.hpp"
#include "actors/server/api/fleet_page.hpp"
#include "actors/server/api/handlers.hpp"
#include "actors/server/api/present_fleet.hpp"
#include "actors/server/fleet_store.hpp"
#include "storage/fleet_history_query.hpp"

#include <array>
#include <memory>
#include <utility>

namespace muster::actors::api {

namespace {

/// Of one answer, so that each can be applied again: what a reader of YAML takes.
constexpr std::size_t export_bytes_max = rules::yaml_limits::bytes_max;

object_choice choice_of(const call& asked) {
  return {asked.kind, asked.name, asked.group};
}

/// False with a refusal given.
bool take_removed(const exchange_ptr& x, const admin::fleet_order& body, fleet_order& order) {
  for (const auto& one : body.removed()) {
    const auto kind = fleet_kind_of(one.kind());
    if (!kind || one.name().empty()) {
      x->reply(problem(400, "'removed': each has a 'kind' (Group, Policy, Rule or Task) and a "
                            "'name'"));
      return false;
    }
    order.removed.push_back(fleet_key_of(*kind, one.group(), one.name()));
  }
  return true;
}

} // namespace

void apply_fleet(const exchange_ptr& x) {
  const auto& body = x->asked->body_as<admin::fleet_order>();
  auto order = std::make_shared<fleet_order>();
  for (const auto& file : body.files())
    order->files.push_back({file.name(), file.text()});
  if (!take_removed(x, body, *order))
    return;
  order->dry_run = body.dry_run();
  order->prune = body.prune();
  if (body.has_expected_revision())
    order->expected = body.expected_revision();
  order->who = *x->audit({}, {});
  x->self
    ->request(x->services->policy_book, caf::infinite, atom::apply_v,
              fleet_order_ptr{std::move(order)})
    .then([x](const fleet_answer_ptr& answer) { x->reply(reply_to_order(*answer)); },
          x->or_fail());
}

void export_fleet(const exchange_ptr& x) {
  with_fleet(x, [x](const fleet_snapshot_ptr& fleet) {
    const auto begin = row_of_page(x, fleet->revision);
    if (!begin)
      return;
    const auto objects = objects_of(*fleet, choice_of(*x->asked));
    std::string body;
    auto row = *begin;
    for (; row < objects.size(); ++row) {
      const auto object = objects[row].make();
      const auto text = rules::export_fleet({&object, 1});
      if (!body.empty() && body.size() + text.size() > export_bytes_max)
        break;
      (body += body.empty() ? "" : "---\n") += text;
    }
    auto answer = text(200, "application/yaml", std::move(body));
    answer.headers.emplace_back("Muster-Revision", std::to_string(fleet->revision));
    if (row < objects.size())
      answer.headers.emplace_back("Muster-Next-Cursor", cursor_of_row(x, fleet->revision, row));
    x->reply(std::move(answer));
  });
}

void list_fleet_history(const exchange_ptr& x) {
  const auto& cursor = x->asked->cursor;
  const auto before = cursor.empty() ? std::nullopt : parse_unsigned(cursor.back());
  if (!cursor.empty() && (cursor.size() != 1 || !before))
    return x->reply(problem(400, "'cursor' is none that this list gave out"));
  with_fleet(x, [x, before](const fleet_snapshot_ptr& fleet) {
    const auto what =
      fleet_key_of(*x->asked->kind, x->asked->group.value_or(""), x->asked->name.value_or(""));
    const auto of = history_key(*fleet, what);
    if (!of)
      return x->reply(no_such_group(what.kind == rules::fleet_kind::group ? what.name : what.group));
    storage::fleet_history_query query{*of, before, x->asked->limit};
    x->read_and_reply([what, query, question = x->asked->question](const storage::store& from,
                                                                   net::http::response& answer) {
      storage::fleet_history_page page;
      const auto ec = storage::find_fleet_history(from, query, page);
      admin::fleet_history out;
      for (const auto& entry : page.entries)
        present(entry, what, *out.add_versions());
      if (page.next)
        out.set_next_cursor(encode_cursor(question, std::array{std::to_string(*page.next)}));
      answer = reply(200, out);
      return ec;
    });
  });
}

} // namespace muster::actors::api
