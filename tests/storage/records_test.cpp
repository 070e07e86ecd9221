// Records survive the way to bytes and back; everything else is refused by name.

#include "storage/records.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <vector>

using namespace muster::storage;

namespace {

record::event sample_event() {
  record::event out;
  out.set_sequence(41);
  out.set_time_ms(1'700'000'000'123);
  out.set_type("application.installed");
  out.set_text("openssl 3.0.11 was installed");
  (*out.mutable_attributes())["name"] = "openssl";
  return out;
}

/// One filled record of every kind.
std::vector<std::shared_ptr<google::protobuf::MessageLite>> samples() {
  auto device = std::make_shared<record::device>();
  device->set_id(std::string(16, 'd'));
  device->set_host_name("mill");
  device->set_certificate(std::string(400, 'c'));
  auto report = std::make_shared<record::device_report>();
  report->set_hello_counter(900);
  report->add_digests(std::string(16, 's'));
  report->add_digests("");
  report->set_disk_used_percent(81);
  auto content = std::make_shared<record::section>();
  content->set_digest(std::string(16, 's'));
  content->set_compressed(std::string(300, 'z'));
  auto block = std::make_shared<record::event_block>();
  block->set_device(std::string(16, 'd'));
  block->set_received_us(1'700'000'000'000'000);
  block->set_severity(2);
  *block->add_events() = sample_event();
  auto position = std::make_shared<record::position>();
  position->set_epoch(0xdeadbeef);
  position->set_sequence(7);
  auto token = std::make_shared<record::enrolment_token>();
  token->set_id("t1");
  token->set_uses(3);
  auto user = std::make_shared<record::user>();
  user->set_name("anna");
  auto audit = std::make_shared<record::audit>();
  audit->set_action("device.revoke");
  auto spooled = std::make_shared<record::spooled_event>();
  spooled->set_epoch(5);
  *spooled->mutable_content() = sample_event();
  return {device, report, content, block, position, token, user, audit, spooled};
}

} // namespace

TEST_CASE("every record comes back as it was") {
  for (const auto& sample : samples()) {
    CAPTURE(sample->GetTypeName());
    const auto bytes = records::encode(*sample);
    CHECK(static_cast<std::uint8_t>(bytes.front()) == records::format);
    const std::unique_ptr<google::protobuf::MessageLite> out(sample->New());
    REQUIRE_FALSE(records::decode(bytes, *out));
    CHECK(records::encode(*out) == bytes);
  }
}

TEST_CASE("a record cut anywhere is damaged, and so is one with bytes behind it") {
  for (const auto& sample : samples()) {
    CAPTURE(sample->GetTypeName());
    const auto bytes = records::encode(*sample);
    const std::unique_ptr<google::protobuf::MessageLite> out(sample->New());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CAPTURE(size);
      CHECK(records::decode(bytes.substr(0, size), *out) == errc::corrupt);
    }
    CHECK(records::decode(bytes + '\0', *out) == errc::corrupt);
  }
}

TEST_CASE("a record of a newer format is refused as such, one of format zero as damaged") {
  auto bytes = records::encode(*samples().front());
  record::device out;
  bytes.front() = static_cast<char>(records::format + 1);
  CHECK(records::decode(bytes, out) == errc::newer_format);
  bytes.front() = '\xff';
  CHECK(records::decode(bytes, out) == errc::newer_format);
  bytes.front() = '\0';
  CHECK(records::decode(bytes, out) == errc::corrupt);
}

TEST_CASE("a length that never ends or promises too much is damage") {
  record::device out;
  const std::string format(1, static_cast<char>(records::format));
  CHECK(records::decode(format + std::string(20, '\xff'), out) == errc::corrupt);
  CHECK(records::decode(format + "\xff\xff\xff\xff\x0f", out) == errc::corrupt);
}

TEST_CASE("an empty record is a record") {
  record::position out;
  const auto bytes = records::encode(record::position{});
  CHECK(bytes.size() == 2);
  CHECK_FALSE(records::decode(bytes, out));
}

TEST_CASE("texts, device ids and numbers travel in the same frame") {
  std::string text;
  REQUIRE_FALSE(records::decode_text(records::encode_text("t1"), text));
  CHECK(text == "t1");
  REQUIRE_FALSE(records::decode_text(records::encode_text(std::string(1000, 'x')), text));
  CHECK(text.size() == 1000);

  std::array<std::uint8_t, 16> id{};
  id.fill(9);
  std::array<std::uint8_t, 16> back{};
  REQUIRE_FALSE(records::decode_device_id(records::encode_device_id(id), back));
  CHECK(back == id);
  CHECK(records::decode_device_id(records::encode_text("short"), back) == errc::corrupt);

  std::uint64_t number = 0;
  REQUIRE_FALSE(records::decode_number(records::encode_number(UINT64_MAX - 1), number));
  CHECK(number == UINT64_MAX - 1);
  CHECK(records::decode_number(records::encode_text("1"), number) == errc::corrupt);
}

TEST_CASE("every storage error has a sentence of its own") {
  std::vector<std::string> seen;
  for (int value = 1; value <= static_cast<int>(errc::too_large); ++value) {
    const auto text = std::error_code(static_cast<errc>(value)).message();
    CHECK_FALSE(text.starts_with("unknown"));
    CHECK(std::find(seen.begin(), seen.end(), text) == seen.end());
    seen.push_back(text);
  }
}
