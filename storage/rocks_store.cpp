#include "storage/rocks_store.hpp"

#include "storage/errc.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "storage/rocks_settings.hpp"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/experimental.h>
#include <rocksdb/listener.h>
#include <rocksdb/write_batch.h>

#include <sys/statvfs.h>

#include <algorithm>
#include <atomic>
#include <atomic>
#include <utility>

namespace muster::storage {

namespace {

namespace fs = std::filesystem;

rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

std::string_view view(const rocksdb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

std::uint64_t free_bytes(const fs::path& directory) {
  struct statvfs volume {};
  if (::statvfs(directory.c_str(), &volume) != 0)
    return UINT64_MAX; // unknown: let the write itself find out
  return std::uint64_t{volume.f_bavail} * volume.f_frsize;
}

/// Remembers that RocksDB has stopped working in the background. Called by its threads.
class trouble_listener final : public rocksdb::EventListener {
public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status*) override {
    troubled_ = true;
  }
  /// Whether there was trouble since the last call.
  bool take() { return troubled_.exchange(false); }
  void put_back() { troubled_ = true; }

private:
  std::atomic<bool> troubled_ = false;
};

/// Where the keys of a family are: a column family each, or all in one behind a letter.
class key_space {
public:
  key_space(const std::vector<rocksdb::ColumnFamilyHandle*>& handles, family f)
    : handle_(handles[handles.size() == 1 ? 0 : static_cast<std::size_t>(f)]) {
    if (handles.size() == 1)
      prefix_ = static_cast<char>('0' + static_cast<int>(f));
  }

  [[nodiscard]] rocksdb::ColumnFamilyHandle* handle() const { return handle_; }

  [[nodiscard]] std::string key(std::string_view of) const {
    return prefix_ ? std::string(1, *prefix_).append(of) : std::string(of);
  }

  /// The same without a copy where the key is stored as it is; else `room` holds it.
  [[nodiscard]] rocksdb::Slice key(std::string_view of, std::string& room) const {
    if (!prefix_)
      return slice(of);
    room.assign(1, *prefix_).append(of);
    return room;
  }

  /// Empty stays empty (no bound) where the family has a column family to itself.
  [[nodiscard]] std::string upper(std::string_view bound) const {
    if (bound.empty() && prefix_)
      return std::string(1, static_cast<char>(*prefix_ + 1));
    return key(bound);
  }

  [[nodiscard]] std::string_view strip(std::string_view key) const {
    return key.substr(prefix_ ? 1 : 0);
  }

private:
  rocksdb::ColumnFamilyHandle* handle_;
  std::optional<char> prefix_;
};

class rocks_store final : public store {
public:
  rocks_store(const rocks_options& options, std::shared_ptr<trouble_listener> listener,
              std::unique_ptr<rocksdb::DB> db, std::vector<rocksdb::ColumnFamilyHandle*> handles)
    : directory_(options.directory),
      reserve_bytes_(options.reserve_bytes.value_or(default_reserve_bytes(options))),
      listener_(std::move(listener)), handles_(std::move(handles)), db_(std::move(db)),
      scratch_bytes_max_(kept_batch_bytes(options)) {}

  ~rocks_store() override {
    for (auto* handle : handles_)
      (void)db_->DestroyColumnFamilyHandle(handle);
    (void)db_->Close();
  }

  std::error_code write_sync(std::span<const change_batch> batches, room may_use) override {
    if (const auto ec = write(batches, may_use))
      return ec;
    return sync();
  }

  std::error_code write(std::span<const change_batch> batches, room may_use) override;

  // Apart from the write, so that its failure cannot be taken for one where nothing was written.
  std::error_code sync() override {
    if (sync_failed_)
      return errc::sync_failed;
    if (db_->SyncWAL().ok())
      return {};
    sync_failed_ = true;
    return errc::sync_failed;
  }

  std::optional<std::string> get(family f, std::string_view key,
                                 std::error_code& ec) const override {
    const key_space keys_of(handles_, f);
    std::string value;
    const auto status = db_->Get({}, keys_of.handle(), keys_of.key(key), &value);
    ec = status.IsNotFound() ? std::error_code{} : translate(status);
    return status.ok() ? std::optional(std::move(value)) : std::nullopt;
  }

  std::error_code scan(family f, const key_range& range, bool reverse,
                       const visitor& visit) const override;

  [[nodiscard]] space measure() const override;
  [[nodiscard]] std::uint64_t measure(family f, const key_range& range) const override;

private:
  std::error_code be_ready(room may_use);
  void fill(std::span<const change_batch> batches);
  void reclaim(std::span<const change_batch> batches);

  const fs::path directory_;
  const std::uint64_t reserve_bytes_;
  const std::shared_ptr<trouble_listener> listener_;
  const std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  const std::unique_ptr<rocksdb::DB> db_;
  std::atomic<bool> sync_failed_{false};
  // Only the writer's thread looks at these.
  /// What is being written. Keeps its memory: to take megabytes anew for every commit makes the
  /// allocator tidy up each time.
  rocksdb::WriteBatch scratch_;
  const std::size_t scratch_bytes_max_;
};

std::error_code rocks_store::be_ready(room may_use) {
  if (sync_failed_)
    return errc::sync_failed;
  const auto floor = may_use == room::last ? reserve_bytes_ / 4 : reserve_bytes_;
  if (free_bytes(directory_) < floor)
    return errc::disk_full;
  if (!listener_->take())
    return {};
  const auto resumed = db_->Resume();
  if (!resumed.ok())
    listener_->put_back();
  return translate(resumed);
}

std::error_code rocks_store::write(std::span<const change_batch> batches, room may_use) {
  const bool makes_room = std::all_of(batches.begin(), batches.end(), only_erases);
  if (const auto ec = be_ready(makes_room ? room::last : may_use))
    return ec;
  fill(batches);
  auto status = db_->Write({}, &scratch_);
  if (!status.ok() && db_->Resume().ok())
    status = db_->Write({}, &scratch_); // it was an older trouble that is over
  if (scratch_.Data().capacity() > scratch_bytes_max_)
    scratch_ = rocksdb::WriteBatch();
  if (status.ok())
    reclaim(batches);
  return translate(status);
}

void rocks_store::fill(std::span<const change_batch> batches) {
  scratch_.Clear();
  std::string room;
  for (const auto& batch : batches) {
    for (const auto& change : batch) {
      const key_space keys_of(handles_, change.where);
      auto* const handle = keys_of.handle();
      switch (change.what) {
      case change::kind::put:
        scratch_.Put(handle, keys_of.key(change.key, room), slice(change.value));
        break;
      case change::kind::erase:
        scratch_.Delete(handle, keys_of.key(change.key, room));
        break;
      case change::kind::erase_range:
        // RocksDB knows no open end; no key of ours begins with this many 255.
        const auto upper = change.value.empty() && handles_.size() > 1
                             ? std::string(64, '\xff')
                             : keys_of.upper(change.value);
        if (const auto lower = keys_of.key(change.key); lower < upper)
          scratch_.DeleteRange(handle, lower, upper);
        break;
      }
    }
  }
}

/// Whole days of events have gone: have the space back soon, without making the writer wait.
void rocks_store::reclaim(std::span<const change_batch> batches) {
  for (const auto& batch : batches) {
    for (const auto& change : batch) {
      if (change.what != change::kind::erase_range || change.where != family::events)
        continue;
      const key_space keys_of(handles_, change.where);
      const auto lower = keys_of.key(change.key);
      const auto upper = keys_of.upper(change.value);
      const rocksdb::Slice begin(lower);
      const rocksdb::Slice end(upper);
      // Best effort: what they leave, the next compactions take.
      (void)rocksdb::DeleteFilesInRange(db_.get(), keys_of.handle(), &begin, &end, false);
      (void)rocksdb::experimental::SuggestCompactRange(db_.get(), keys_of.handle(), &begin, &end);
    }
  }
}

std::error_code rocks_store::scan(family f, const key_range& range, bool reverse,
                                  const visitor& visit) const {
  const key_space keys_of(handles_, f);
  const auto lower = keys_of.key(range.lower);
  const auto upper = keys_of.upper(range.upper);
  if (!upper.empty() && upper <= lower)
    return {};
  const rocksdb::Slice lower_slice(lower);
  const rocksdb::Slice upper_slice(upper);
  rocksdb::ReadOptions options;
  options.iterate_lower_bound = &lower_slice;
  options.iterate_upper_bound = upper.empty() ? nullptr : &upper_slice;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options, keys_of.handle()));
  if (reverse)
    at->SeekToLast();
  else
    at->SeekToFirst();
  while (at->Valid() && visit(keys_of.strip(view(at->key())), view(at->value()))) {
    if (reverse)
      at->Prev();
    else
      at->Next();
  }
  return translate(at->status());
}

store::space rocks_store::measure() const {
  space out;
  out.free_bytes = free_bytes(directory_);
  std::error_code ec;
  for (auto file = fs::directory_iterator(directory_, ec); !ec && file != fs::directory_iterator();
       file.increment(ec)) {
    std::error_code gone; // files come and go while we look
    const auto bytes = file->file_size(gone);
    out.used_bytes += gone ? 0 : bytes;
  }
  return out;
}

std::uint64_t rocks_store::measure(family f, const key_range& range) const {
  const key_space keys_of(handles_, f);
  const auto lower = keys_of.key(range.lower);
  auto upper = keys_of.upper(range.upper);
  if (upper.empty())
    upper.assign(64, '\xff'); // no key of ours begins with this many 255
  if (upper <= lower)
    return 0;
  const rocksdb::Range asked(lower, upper);
  rocksdb::SizeApproximationOptions how;
  how.include_memtables = true;
  how.include_files = true;
  std::uint64_t out = 0;
  const auto status = db_->GetApproximateSizes(how, keys_of.handle(), &asked, 1, &out);
  return status.ok() ? out : 0;
}

std::string reason(const std::error_code& ec, const rocksdb::Status& status) {
  if (ec == errc::locked)
    return "another process has it open; stop that one first";
  if (ec == errc::not_permitted)
    return "no permission to use it; check its owner and mode";
  if (ec == errc::newer_format)
    return "it was written by a newer version of Muster; install that version again";
  if (ec == errc::disk_full)
    return "the disk is full; make room and start again";
  if (ec == errc::corrupt)
    return "it is damaged (" + status.ToString() + "); restore it from a backup";
  return status.ToString();
}

/// A store with families that we do not know has been opened by a later version.
bool has_unknown_families(const rocks_options& options,
                          const std::vector<rocksdb::ColumnFamilyDescriptor>& known) {
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies({}, options.directory, &names).ok())
    return false; // new, or something that opening it will tell better
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::none_of(known.begin(), known.end(),
                        [&](const auto& descriptor) { return descriptor.name == name; });
  });
}

/// Marks a new store with our version, refuses a newer one.
std::error_code check_schema(store& opened) {
  std::error_code ec;
  const auto value = opened.get(family::meta, keys::schema(), ec);
  if (ec)
    return ec;
  if (!value) {
    const change_batch mark{
      put(family::meta, keys::schema(), records::encode_number(records::layout_version))};
    return opened.write_sync({&mark, 1});
  }
  std::uint64_t version = 0;
  if (ec = records::decode_number(*value, version); ec)
    return ec;
  return version > records::layout_version ? errc::newer_format : std::error_code{};
}

std::unique_ptr<store> open(const rocks_options& options, std::error_code& ec,
                            rocksdb::Status& status) {
  const auto families = family_settings(options);
  if (has_unknown_families(options, families)) {
    ec = errc::newer_format;
    return nullptr;
  }
  auto settings = database_settings(options);
  const auto listener = std::make_shared<trouble_listener>();
  settings.listeners.push_back(listener);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  status = rocksdb::DB::Open(settings, options.directory, families, &handles, &raw);
  ec = translate(status);
  if (ec)
    return nullptr;
  auto out = std::make_unique<rocks_store>(options, listener, std::unique_ptr<rocksdb::DB>(raw),
                                           std::move(handles));
  ec = check_schema(*out);
  return ec ? nullptr : std::move(out);
}

} // namespace

std::unique_ptr<store> open_rocks_store(const rocks_options& options, std::error_code& ec,
                                        std::string& problem) {
  std::unique_ptr<store> out;
  rocksdb::Status status;
  std::error_code made;
  fs::create_directories(options.directory, made);
  if (made) {
    const bool denied =
      made == std::errc::permission_denied || made == std::errc::read_only_file_system;
    ec = denied ? errc::not_permitted : errc::io_error;
    status = rocksdb::Status::IOError(made.message());
  } else {
    out = open(options, ec, status);
  }
  problem = ec
              ? "cannot open the store in " + options.directory.string() + ": " + reason(ec, status)
              : std::string{};
  return out;
}

} // namespace muster::storage
