// Devices: lists merged from the directory's shards, what is stored of one, and its end.

#include "actors/rules/shard.hpp"
#include "actors/server/api/cursor.hpp"
#include "actors/server/api/device_merge.hpp"
#include "actors/server/api/handlers.hpp"
#include "actors/server/api/present.hpp"
#include "actors/server/api/stored_section.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <type_traits>

namespace muster::actors::api {

namespace {

std::error_code fill_detail(const storage::store& from, const device_id& device,
                            admin::device_detail& out) {
  std::error_code ec;
  for (const auto number : {facts_section, applications_section, run_states_section, settings_states_section}) {
    storage::record::section section;
    if (!get_section(from, device.bytes, number, section, ec)) {
      if (ec)
        return ec;
      continue;
    }
    auto& receipt = *out.add_sections();
    receipt.set_section(std::string{section_name(number)});
    receipt.set_received_us(section.received_ms() * 1000);
    receipt.set_bytes(section.bytes());
    receipt.set_digest(digest_of(section));
    if (number == facts_section) {
      if ((ec = unpack(section, number, *out.mutable_facts())))
        return ec;
    }
  }
  return ec;
}

/// Where a page of a section begins; the digest tells whether it still is the section of that list.
struct section_place {
  std::string digest; ///< hexadecimal; empty: any
  std::size_t row = 0;
};

/// Empty when the cursor is none of these. Without a cursor: the beginning, of any section.
std::optional<section_place> place_of(const std::vector<std::string>& cursor) {
  if (cursor.empty())
    return section_place{};
  section_place out;
  if (cursor.size() != 2 || cursor.front().empty())
    return {};
  out.digest = cursor.front();
  const auto& row = cursor.back();
  const auto read = std::from_chars(row.data(), row.data() + row.size(), out.row);
  if (read.ec != std::errc{} || read.ptr != row.data() + row.size())
    return {};
  return out;
}

/// Rows of `from` from this place on, and where the list goes on; fewer rows than asked for when
/// they are too large together.
template <class List, class Rows>
net::http::response section_page(const std::string& question,
                                 const storage::record::section& section, const Rows& from,
                                 Rows* (List::*rows_of)(), std::size_t begin, std::size_t limit) {
  const auto size = static_cast<std::size_t>(from.size());
  for (auto rows = std::min(limit, size - std::min(begin, size));; rows /= 2) {
    List out;
    out.set_received_us(section.received_ms() * 1000);
    const auto first = from.begin() + static_cast<std::ptrdiff_t>(std::min(begin, size));
    (out.*rows_of)()->Assign(first, first + static_cast<std::ptrdiff_t>(rows));
    if (begin + rows < size)
      out.set_next_cursor(
        encode_cursor(question, std::array{digest_of(section), std::to_string(begin + rows)}));
    auto answer = reply(200, out);
    if (answer.body.size() <= answer_bytes_max || rows <= 1)
      return answer;
  }
}

/// One section as a list; empty before the first sync.
template <class Section, class List, class Rows>
void list_section(const exchange_ptr& x, std::uint16_t number, const Rows& (Section::*from)() const,
                  Rows* (List::*to)()) {
  const auto place = place_of(x->asked->cursor);
  if (!place)
    return x->reply(problem(400, "'cursor' is none that this list gave out"));
  with_device(x, [=, place = *place](const device_row& row) {
    x->read_and_reply(
      [=, device = row.device, question = x->asked->question,
       limit = x->asked->limit](const storage::store& store, net::http::response& answer) {
        storage::record::section section;
        Section content;
        std::error_code ec;
        if (get_section(store, device.bytes, number, section, ec))
          ec = unpack(section, number, content);
        const bool changed = !place.digest.empty() && place.digest != digest_of(section);
        answer = changed
                   ? problem(409, "the device has reported another list; begin anew")
                   : section_page<List>(question, section, (content.*from)(), to, place.row, limit);
        return ec;
      });
  });
}

/// For what ends a device: 204, or 404 when there is none.
template <class Atom>
void end_device(const exchange_ptr& x, Atom how, const char* action) {
  const auto device = x->asked->device;
  with_device(x, [=](const device_row& row) {
    x->self
      ->request(x->services->directory_of(device), caf::infinite, how, device,
                x->audit(action, device.text(), row.name))
      .then(
        [x, device](bool known) {
          if (known && std::is_same_v<Atom, atom::remove>)
            x->self->send(x->services->policy_book, atom::remove_v, device);
          x->reply(known ? no_content() : no_such_device());
        },
        x->or_fail());
  });
}

/// Fewer rows than asked for when they are too large together: what agents say of themselves may be
/// long, and the list goes on behind its cursor.
net::http::response page_of(merged_devices merged, const std::string& question) {
  while (true) {
    admin::device_list out;
    out.set_matching(merged.matching);
    for (const auto& row : merged.rows)
      present(row, *out.add_devices());
    if (merged.more && !merged.rows.empty()) {
      const auto& last = merged.rows.back();
      out.set_next_cursor(encode_cursor(question, std::array{last.name, last.device.text()}));
    }
    auto answer = reply(200, out);
    if (answer.body.size() <= answer_bytes_max || merged.rows.size() <= 1)
      return answer;
    merged.rows.resize(merged.rows.size() / 2);
    merged.more = true;
  }
}

} // namespace

net::http::response no_such_device() {
  return problem(404, "there is no such device");
}

void with_device(const exchange_ptr& x, std::function<void(const device_row& row)> then) {
  const auto& device = x->asked->device;
  x->self->request(x->services->directory_of(device), caf::infinite, atom::find_v, device)
    .then(
      [x, then = std::move(then)](const device_page_ptr& page) {
        if (page->rows.empty())
          x->reply(no_such_device());
        else
          then(page->rows.front());
      },
      x->or_fail());
}

void list_devices(const exchange_ptr& x) {
  auto query = std::make_shared<device_query>();
  query->target = x->asked->target;
  query->limit = x->asked->limit;
  if (const auto& cursor = x->asked->cursor; !cursor.empty()) {
    const auto device = device_id::from_text(cursor.back());
    if (cursor.size() != 2 || !device)
      return x->reply(problem(400, "'cursor' is none that this list gave out"));
    query->after_name = cursor.front();
    query->after_device = *device;
  }
  const auto pages = std::make_shared<std::vector<device_page_ptr>>();
  const auto all = gather([x, pages] {
    x->reply(page_of(merge_devices(*pages, x->asked->limit, x->asked->cursor.empty()),
                     x->asked->question));
  });
  for (const auto& shard : x->services->directories)
    all->ask<device_page_ptr>(
      x, shard, [pages](const device_page_ptr& page) { pages->push_back(page); }, atom::list_v,
      device_query_ptr{query});
  all->arrive();
}

void show_device(const exchange_ptr& x) {
  with_device(x, [x](const device_row& row) {
    x->read_and_reply([row](const storage::store& from, net::http::response& answer) {
      admin::device_detail out;
      present(row, *out.mutable_device());
      const auto ec = fill_detail(from, row.device, out);
      answer = reply(200, out);
      return ec;
    });
  });
}

void list_device_applications(const exchange_ptr& x) {
  list_section(x, applications_section, &wire::applications::items,
               &admin::device_applications::mutable_applications);
}

void list_device_run_states(const exchange_ptr& x) {
  list_section(x, run_states_section, &wire::run_states::items,
               &admin::device_run_states::mutable_run_states);
}

void revoke_device(const exchange_ptr& x) {
  end_device(x, atom::revoke_v, "device.revoke");
}

void remove_device(const exchange_ptr& x) {
  end_device(x, atom::remove_v, "device.remove");
}

} // namespace muster::actors::api
