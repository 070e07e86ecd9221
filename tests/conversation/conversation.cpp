#include "tests/conversation/conversation.hpp"

#include "net/certificate.hpp"
#include "net/section_digest.hpp"
#include "net/wire/agent.pb.h"
#include "storage/compress.hpp"

#include <doctest/doctest.h>

#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <sstream>
#include <utility>

namespace muster::test {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::size_t hex_per_line = 96;
constexpr std::size_t section_bytes_max = std::size_t{16} * 1024 * 1024;

std::unique_ptr<Message> envelope(bool up) {
  if (up)
    return std::make_unique<wire::agent_message>();
  return std::make_unique<wire::server_message>();
}

std::unique_ptr<Message> parsed(bool up, std::string_view bytes) {
  auto out = envelope(up);
  REQUIRE(out->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return out;
}

wire::agent_message from_agent(const std::string& bytes) {
  wire::agent_message out;
  REQUIRE(out.ParseFromString(bytes));
  return out;
}

std::unique_ptr<Message> empty_section(int number) {
  switch (number) {
  case wire::section_facts:
    return std::make_unique<wire::device_facts>();
  case wire::section_applications:
    return std::make_unique<wire::applications>();
  default:
    REQUIRE(number == wire::section_run_states);
    return std::make_unique<wire::run_states>();
  }
}

std::string unpacked(const wire::section_chunk& chunk) {
  REQUIRE(chunk.last()); // recorded machines are small
  std::string out;
  REQUIRE_FALSE(storage::decompress(chunk.data(), section_bytes_max, out));
  return out;
}

/// Everything in it as one line of text.
std::string in_words(const utterance& one) {
  const auto message = parsed(one.up, one.bytes);
  auto out = message->ShortDebugString();
  if (!one.up || one.kind != "section_chunk")
    return out;
  const auto chunk = from_agent(one.bytes).section_chunk();
  const auto section = empty_section(chunk.section());
  REQUIRE(section->ParseFromString(unpacked(chunk)));
  return wire::section_Name(chunk.section()) + " { " + section->ShortDebugString() + " }";
}

void add_unknown_fields(Message& to) {
  const auto* const about = to.GetReflection();
  std::vector<const FieldDescriptor*> set;
  about->ListFields(to, &set);
  for (const auto* field : set) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map())
      continue;
    if (!field->is_repeated()) {
      add_unknown_fields(*about->MutableMessage(&to, field));
      continue;
    }
    for (int i = 0; i < about->FieldSize(to, field); ++i)
      add_unknown_fields(*about->MutableRepeatedMessage(&to, field, i));
  }
  auto& unknown = *about->MutableUnknownFields(&to);
  unknown.AddVarint(60, std::numeric_limits<std::uint64_t>::max());
  unknown.AddFixed32(61, 1);
  unknown.AddFixed64(1'000, 2);
  unknown.AddLengthDelimited(1'001, "what will this be?");
  unknown.AddLengthDelimited(1'001, "");
  unknown.AddGroup((1 << 29) - 1)->AddVarint(1, 3);
}

/// A section as it becomes, under the digest it had.
struct newer_section {
  std::string digest;
  std::string data;
};

std::map<std::string, newer_section> newer_sections(const conversation& said) {
  std::map<std::string, newer_section> out;
  for (const auto& one : said) {
    if (one.kind != "section_chunk")
      continue;
    const auto chunk = from_agent(one.bytes).section_chunk();
    const auto section = empty_section(chunk.section());
    REQUIRE(section->ParseFromString(unpacked(chunk)));
    add_unknown_fields(*section);
    const auto content = section->SerializeAsString();
    const auto digest = net::section_digest_of(content);
    out[chunk.digest()] = {std::string(digest.begin(), digest.end()), storage::compress(content)};
  }
  return out;
}

void renew_digests(google::protobuf::RepeatedPtrField<wire::section_digest>& digests,
                   const std::map<std::string, newer_section>& sections) {
  for (auto& one : digests)
    if (const auto place = sections.find(one.digest()); place != sections.end())
      one.set_digest(place->second.digest);
}

void renew(wire::agent_message& message, const std::map<std::string, newer_section>& sections) {
  if (message.has_hello()) {
    message.mutable_hello()->set_protocol(2);
    renew_digests(*message.mutable_hello()->mutable_digests(), sections);
  }
  if (message.has_sync_request())
    renew_digests(*message.mutable_sync_request()->mutable_digests(), sections);
  if (message.has_section_chunk()) {
    const auto& fresh = sections.at(message.section_chunk().digest());
    message.mutable_section_chunk()->set_digest(fresh.digest);
    message.mutable_section_chunk()->set_data(fresh.data);
  }
}

} // namespace

std::string kind_of(bool up, std::string_view bytes) {
  const auto message = parsed(up, bytes);
  const auto* const body = message->GetDescriptor()->FindOneofByName("body");
  const auto* const field = message->GetReflection()->GetOneofFieldDescriptor(*message, body);
  return field == nullptr ? std::string{} : field->name();
}

conversation recorded_conversation(int version) {
  return read_conversation(std::filesystem::path{MUSTER_CONVERSATIONS} /
                           ("v" + std::to_string(version) + ".txt"));
}

conversation read_conversation(const std::filesystem::path& file) {
  std::ifstream in(file);
  REQUIRE_MESSAGE(in, "cannot read " << file.string());
  conversation out;
  std::string hex;
  const auto finish = [&] {
    if (out.empty())
      return;
    const auto bytes = net::from_hex(hex);
    REQUIRE(bytes.has_value());
    out.back().bytes.assign(bytes->begin(), bytes->end());
    REQUIRE(kind_of(out.back().up, out.back().bytes) == out.back().kind);
    hex.clear();
  };
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#')
      continue;
    if (line.front() == ' ') {
      hex += line.substr(line.find_first_not_of(' '));
      continue;
    }
    finish();
    REQUIRE((line.starts_with("> ") || line.starts_with("< ")));
    out.push_back({line.front() == '>', line.substr(2), {}});
  }
  finish();
  return out;
}

void write_conversation(const std::filesystem::path& file, const conversation& said,
                        const std::string& remark) {
  std::ofstream out(file);
  out << "# " << remark << "\n";
  for (const auto& one : said) {
    out << "\n# " << in_words(one) << "\n" << (one.up ? "> " : "< ") << one.kind << "\n";
    const auto hex = net::to_hex(
      {reinterpret_cast<const std::uint8_t*>(one.bytes.data()), one.bytes.size()});
    for (std::size_t at = 0; at < hex.size(); at += hex_per_line)
      out << "  " << hex.substr(at, hex_per_line) << "\n";
  }
  REQUIRE_MESSAGE(out.flush(), "cannot write " << file.string());
}

std::size_t count_of(const conversation& said, std::string_view kind) {
  return static_cast<std::size_t>(
    std::count_if(said.begin(), said.end(), [&](const auto& one) { return one.kind == kind; }));
}

std::string section_of(const conversation& said, int number) {
  for (auto one = said.rbegin(); one != said.rend(); ++one)
    if (one->kind == "section_chunk")
      if (const auto chunk = from_agent(one->bytes).section_chunk(); chunk.section() == number)
        return unpacked(chunk);
  FAIL("section " << number << " was not recorded");
  return {};
}

conversation as_if_newer(const conversation& said) {
  const auto sections = newer_sections(said);
  conversation out;
  for (const auto& one : said) {
    auto message = parsed(one.up, one.bytes);
    if (one.up)
      renew(static_cast<wire::agent_message&>(*message), sections);
    add_unknown_fields(*message);
    out.push_back({one.up, one.kind, message->SerializeAsString()});
  }
  return out;
}

std::string with_replaced(std::string bytes, std::string_view old, std::string_view fresh) {
  REQUIRE(old.size() == fresh.size());
  for (auto at = bytes.find(old); at != std::string::npos; at = bytes.find(old, at + fresh.size()))
    bytes.replace(at, old.size(), fresh);
  return bytes;
}

} // namespace muster::test
