#include "actors/agent/local_json.hpp"

namespace muster::actors::local_json {

namespace {

constexpr int depth_max = 2;

} // namespace

json object_of(std::string_view text) {
  bool too_deep = false;
  const json::parser_callback_t shallow = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > depth_max;
    return !too_deep;
  };
  auto out = json::parse(text, shallow, false);
  return !too_deep && out.is_object() ? out : json{};
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string text_in(const json& in, const char* key) {
  const auto found = in.find(key);
  return found != in.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

bool flag_in(const json& in, const char* key) {
  const auto found = in.find(key);
  return found != in.end() && found->is_boolean() && found->get<bool>();
}

std::int64_t number_in(const json& in, const char* key) {
  const auto found = in.find(key);
  return found != in.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::uint64_t count_in(const json& in, const char* key) {
  const auto found = in.find(key);
  return found != in.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

} // namespace muster::actors::local_json
