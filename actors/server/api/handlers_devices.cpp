// Devices: lists merged from the directory's shards, what is stored of one, and its end.

#include "actors/rules/shard.hpp"
#include "actors/server/api/cursor.hpp"
#include "actors/server/api/device_merge.hpp"
#include "actors/server/api/handlers.hpp"
#include "actors/server/api/present.hpp"
#include "actors/server/session_limits.hpp"
#include "net/certificate.hpp"
#include "storage/compress.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <array>
#include <span>

namespace muster::actors::api {

namespace {

constexpr std::uint16_t facts_section = 1;
constexpr std::uint16_t applications_section = 2;
constexpr std::uint16_t run_states_section = 3;

/// False without an error: the server has none.
bool get_section(const storage::store& from, const device_id& device, std::uint16_t number,
                 storage::record::section& out, std::error_code& ec) {
  const auto value = from.get(storage::family::inventory,
                              storage::keys::section(device.bytes, number), ec);
  if (!ec && value)
    ec = storage::records::decode(*value, out);
  return !ec && value;
}

std::error_code unpack(const storage::record::section& section, std::uint16_t number,
                       google::protobuf::Message& out) {
  std::string content;
  const auto bytes_max = session_limits::section_bytes_max.at(number - 1U);
  if (const auto ec = storage::decompress(section.compressed(), bytes_max, content))
    return ec;
  return out.ParseFromString(content) ? std::error_code{}
                                      : make_error_code(storage::errc::corrupt);
}

net::http::response no_such_device() {
  return problem(404, "there is no such device");
}

/// Goes on when the device is known, with what the directory says of it.
void with_device(const exchange_ptr& x, std::function<void(const device_row& row)> then) {
  const auto& device = x->asked->device;
  x->self
    ->request(x->services->directory_of(device), caf::infinite, atom::find_v, device)
    .then(
      [x, then = std::move(then)](const device_page_ptr& page) {
        if (page->rows.empty())
          x->reply(no_such_device());
        else
          then(page->rows.front());
      },
      x->or_fail());
}

std::error_code fill_detail(const storage::store& from, const device_id& device,
                            admin::device_detail& out) {
  std::error_code ec;
  for (const auto number : {facts_section, applications_section, run_states_section}) {
    storage::record::section section;
    if (!get_section(from, device, number, section, ec)) {
      if (ec)
        return ec;
      continue;
    }
    auto& receipt = *out.add_sections();
    receipt.set_section(std::string{section_name(number)});
    receipt.set_received_us(section.received_ms() * 1000);
    receipt.set_bytes(section.bytes());
    const auto* digest = reinterpret_cast<const std::uint8_t*>(section.digest().data());
    receipt.set_digest(net::to_hex({digest, section.digest().size()}));
    if (number == facts_section) {
      if ((ec = unpack(section, number, *out.mutable_facts())))
        return ec;
    }
  }
  return ec;
}

/// One section as a list; empty before the first sync. `fill` moves its items over.
template <class Section, class List>
void list_section(const exchange_ptr& x, std::uint16_t number, void (*fill)(Section&, List&)) {
  with_device(x, [x, number, fill](const device_row& row) {
    x->read_and_reply([=, device = row.device](const storage::store& from,
                                               net::http::response& answer) {
      storage::record::section section;
      Section content;
      List out;
      std::error_code ec;
      if (get_section(from, device, number, section, ec)) {
        ec = unpack(section, number, content);
        fill(content, out);
        out.set_received_us(section.received_ms() * 1000);
      }
      answer = reply(200, out);
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
      .then([x](bool known) { x->reply(known ? no_content() : no_such_device()); },
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
  list_section<wire::applications, admin::device_applications>(
    x, applications_section, [](wire::applications& from, admin::device_applications& to) {
      to.mutable_applications()->Swap(from.mutable_items());
    });
}

void list_device_run_states(const exchange_ptr& x) {
  list_section<wire::run_states, admin::device_run_states>(
    x, run_states_section, [](wire::run_states& from, admin::device_run_states& to) {
      to.mutable_run_states()->Swap(from.mutable_items());
    });
}

void revoke_device(const exchange_ptr& x) {
  end_device(x, atom::revoke_v, "device.revoke");
}

void remove_device(const exchange_ptr& x) {
  end_device(x, atom::remove_v, "device.remove");
}

} // namespace muster::actors::api
