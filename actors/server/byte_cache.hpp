#pragma once
// Keeps the texts that were used last, and no more bytes of them than it was told. Pure.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace muster::actors {

/// storage::generation_cache, counted in bytes: the young generation becomes the old one when it has
/// half of them. A text that is larger than that is kept until the next one comes. Use by one thread.
template <class Key, class Hash = std::hash<Key>>
class byte_cache {
public:
  using text_ptr = std::shared_ptr<const std::string>;

  explicit byte_cache(std::size_t bytes_max) : half_(bytes_max / 2) {}

  /// Null when it is not there (any more).
  [[nodiscard]] text_ptr find(const Key& key) {
    if (const auto found = young_.find(key); found != young_.end())
      return found->second;
    const auto found = old_.find(key);
    if (found == old_.end())
      return nullptr;
    auto text = std::move(found->second);
    old_.erase(found);
    put(key, text);
    return text;
  }

  void put(const Key& key, text_ptr text) {
    const auto bytes = bytes_of(*text);
    if (!young_.insert_or_assign(key, std::move(text)).second)
      return; // what has the same key is the same
    young_bytes_ += bytes;
    if (young_bytes_ < half_)
      return;
    old_ = std::move(young_);
    old_bytes_ = young_bytes_;
    young_.clear();
    young_bytes_ = 0;
  }

  /// At most; what is in both generations counts twice.
  [[nodiscard]] std::size_t bytes() const noexcept { return young_bytes_ + old_bytes_; }

private:
  static constexpr std::size_t entry_bytes = 128; ///< what a text costs beside its own bytes
  static std::size_t bytes_of(const std::string& text) { return text.size() + entry_bytes; }

  std::unordered_map<Key, text_ptr, Hash> young_;
  std::unordered_map<Key, text_ptr, Hash> old_;
  std::size_t young_bytes_ = 0;
  std::size_t old_bytes_ = 0;
  std::size_t half_;
};

} // namespace muster::actors
