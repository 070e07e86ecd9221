#include "apps/console/answers.hpp"

#include "apps/console/failure.hpp"

#include <muster/assert.hpp>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace muster::console {

namespace {

namespace pb = google::protobuf;

const pb::FieldDescriptor* list_of(const pb::Message& message) {
  const auto* type = message.GetDescriptor();
  for (int index = 0; index < type->field_count(); ++index)
    if (type->field(index)->is_repeated() && !type->field(index)->is_map())
      return type->field(index);
  MUSTER_ASSERT(false, "a page has a list");
  return nullptr;
}

std::string cursor_of(const pb::Message& page) {
  const auto* field = page.GetDescriptor()->FindFieldByName("next_cursor");
  MUSTER_ASSERT(field != nullptr, "a page names the next one");
  return page.GetReflection()->GetString(page, field);
}

/// Appends the list of `page` to that of `joined`, whose other members become the page's.
void join(nlohmann::ordered_json& joined, nlohmann::ordered_json page, const std::string& list) {
  auto items = joined.contains(list) ? std::move(joined[list]) : nlohmann::ordered_json::array();
  if (page.contains(list))
    for (auto& item : page[list])
      items.push_back(std::move(item));
  page[list] = std::move(items);
  joined = std::move(page);
}

} // namespace

void read_answer(std::string_view json, pb::Message& into) {
  pb::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status = pb::util::JsonStringToMessage({json.data(), json.size()}, &into, options);
  if (!status.ok())
    throw failure(exit_failed, "the server's answer is not what it should be (is its version "
                               "another one?): no " +
                                 into.GetDescriptor()->name());
}

std::string body_of(const pb::Message& message) {
  std::string json;
  const auto status = pb::util::MessageToJsonString(message, &json);
  MUSTER_ASSERT(status.ok(), "every message has a JSON form");
  return json;
}

pages read_pages(api& server, const std::string& path, query q, extent wanted, pb::Message& into) {
  const auto* list = list_of(into);
  pages result;
  nlohmann::ordered_json joined;
  std::uint64_t had = 0;
  for (std::size_t count = 0; count < pages_max; ++count) {
    const auto left = wanted.all ? page_items_max : wanted.limit - had;
    q.erase("limit");
    q.emplace("limit", std::to_string(std::min(left, page_items_max)));
    auto json = server.get(path, q);
    const std::unique_ptr<pb::Message> page{into.New()};
    read_answer(json, *page);
    had += static_cast<std::uint64_t>(page->GetReflection()->FieldSize(*page, list));
    const auto cursor = cursor_of(*page);
    into.MergeFrom(*page);
    result.more = !cursor.empty();
    const bool last = cursor.empty() || (!wanted.all && had >= wanted.limit);
    if (count == 0 && last) {
      result.json = std::move(json);
      return result;
    }
    join(joined, nlohmann::ordered_json::parse(json), list->json_name());
    if (last)
      break;
    q.erase("cursor");
    q.emplace("cursor", cursor);
  }
  result.json = joined.dump();
  return result;
}

} // namespace muster::console
