// Records come off a disk: whatever is there is a record or damage, and a record is written back as
// it was read. The first byte says which kind is expected.
#include "storage/records.hpp"

#include <muster/assert.hpp>

#include <google/protobuf/stubs/logging.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace {

namespace record = muster::storage::record;
namespace records = muster::storage::records;

/// protobuf would complain of every broken text, thousands of times.
const auto silence = google::protobuf::SetLogHandler(nullptr);

using message_ptr = std::unique_ptr<google::protobuf::MessageLite>;

template <class Record>
message_ptr make() {
  return std::make_unique<Record>();
}

/// Every record there is. Only ever grows at its end: the seeds name their kind by its place.
constexpr std::array<message_ptr (*)(), 13> kinds = {
  make<record::device>,
  make<record::device_report>,
  make<record::section>,
  make<record::event_block>,
  make<record::position>,
  make<record::enrolment_token>,
  make<record::user>,
  make<record::audit>,
  make<record::spooled_event>,
  make<record::announced_applications>,
  make<record::announced_alarms>,
  make<record::event>,
  make<record::spool_naming>,
};

void read_record(std::size_t kind, std::string_view bytes) {
  const auto read = kinds[kind]();
  if (records::decode(bytes, *read))
    return;
  const auto written = records::encode(*read);
  const auto again = kinds[kind]();
  MUSTER_ASSERT(!records::decode(written, *again), "what we write we can read");
  // Maps have no order: the bytes may differ, their number must not.
  MUSTER_ASSERT(records::encode(*again).size() == written.size(), "nothing is lost or added");
}

void read_plain(std::string_view bytes) {
  std::string text;
  if (!records::decode_text(bytes, text)) {
    std::string back;
    MUSTER_ASSERT(!records::decode_text(records::encode_text(text), back) && back == text,
                  "a text comes back");
    const auto clean = records::clean_text(text);
    MUSTER_ASSERT(clean.size() == text.size() && records::clean_text(clean) == clean,
                  "a clean text is left alone");
    record::user user; // protobuf agrees on what is clean
    user.set_name(clean);
    record::user read;
    MUSTER_ASSERT(!records::decode(records::encode(user), read) && read.name() == clean,
                  "a clean text survives a record");
  }
  std::uint64_t number = 0;
  if (!records::decode_number(bytes, number))
    MUSTER_ASSERT(records::encode_number(number).size() <= bytes.size(), "a number comes back");
  std::array<std::uint8_t, 16> id{};
  if (!records::decode_device_id(bytes, id)) {
    std::array<std::uint8_t, 16> back{};
    MUSTER_ASSERT(!records::decode_device_id(records::encode_device_id(id), back) && back == id,
                  "an id comes back");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  const std::size_t kind = data[0] % (kinds.size() + 1);
  if (kind < kinds.size())
    read_record(kind, bytes);
  else
    read_plain(bytes);
  return 0;
}
