#include "bench/commit/contenders.hpp"
#include "storage/rocks_settings.hpp"

#include <muster/assert.hpp>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <chrono>

namespace muster::bench {

namespace {

class bare final : public contender {
public:
  explicit bare(const std::filesystem::path& directory) {
    storage::rocks_options ours;
    ours.directory = directory;
    rocksdb::DB* raw = nullptr;
    const auto status = rocksdb::DB::Open(storage::database_settings(ours), directory.string(),
                                          storage::family_settings(ours), &families_, &raw);
    MUSTER_ASSERT(status.ok(), "the store can be made");
    db_.reset(raw);
  }

  ~bare() override {
    for (auto* family : families_)
      static_cast<void>(db_->DestroyColumnFamilyHandle(family));
    static_cast<void>(db_->Close());
  }

  cost play(const std::vector<sender_load>& round) override {
    const auto batches = encode(round, received_us_);
    const stopwatch watch;
    for (const auto& batch : batches)
      write(batch);
    commits_ += batches.size();
    return watch.read();
  }

  std::uint64_t commits() const override { return commits_; }

private:
  void write(const storage::change_batch& changes) {
    rocksdb::WriteBatch out;
    for (const auto& change : changes)
      static_cast<void>(
        out.Put(families_[static_cast<std::size_t>(change.where)], change.key, change.value));
    rocksdb::WriteOptions durable;
    durable.sync = true;
    const auto status = db_->Write(durable, &out);
    MUSTER_ASSERT(status.ok(), "the disk has room");
  }

  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::unique_ptr<rocksdb::DB> db_;
  std::int64_t received_us_ = 1'760'000'000'000'000;
  std::uint64_t commits_ = 0;
};

} // namespace

std::unique_ptr<contender> make_bare(const std::filesystem::path& directory) {
  return std::make_unique<bare>(directory);
}

} // namespace muster::bench
