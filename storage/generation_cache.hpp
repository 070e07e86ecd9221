#pragma once
// A map that forgets what was not used for long. Pure.

#include <cstddef>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

namespace muster::storage {

/// Two generations: what is used is in the young one; when that is full it becomes the old one, and
/// the old one goes. So memory is bounded by `entries_max`, and the most recently used half of it
/// is always there, without a list to keep in order. Use by one thread.
template <class Key, class Value, class Hash = std::hash<Key>>
class generation_cache {
public:
  explicit generation_cache(std::size_t entries_max) : half_(entries_max / 2 + 1) {}

  [[nodiscard]] std::optional<Value> find(const Key& key) {
    if (const auto found = young_.find(key); found != young_.end())
      return found->second;
    const auto found = old_.find(key);
    if (found == old_.end())
      return std::nullopt;
    auto value = std::move(found->second);
    put(key, value);
    return value;
  }

  void put(const Key& key, Value value) {
    old_.erase(key);
    young_.insert_or_assign(key, std::move(value));
    if (young_.size() < half_)
      return;
    old_ = std::move(young_);
    young_.clear();
  }

  void erase(const Key& key) {
    young_.erase(key);
    old_.erase(key);
  }

  [[nodiscard]] std::size_t size() const noexcept { return young_.size() + old_.size(); }

private:
  std::unordered_map<Key, Value, Hash> young_;
  std::unordered_map<Key, Value, Hash> old_;
  std::size_t half_;
};

} // namespace muster::storage
