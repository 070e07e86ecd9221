#include "actors/server/text_pool.hpp"

#include <muster/assert.hpp>

namespace muster::actors {

text_id text_pool::intern(std::string_view text) {
  if (text.empty())
    return text_id::empty;
  if (const auto found = by_text_.find(text); found != by_text_.end()) {
    ++texts_[static_cast<std::size_t>(found->second)].users;
    return found->second;
  }
  auto id = static_cast<text_id>(texts_.size());
  if (free_.empty()) {
    texts_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  auto& entry = texts_[static_cast<std::size_t>(id)];
  entry.text = text;
  entry.users = 1;
  by_text_.emplace(entry.text, id);
  return id;
}

void text_pool::release(text_id id) {
  if (id == text_id::empty)
    return;
  auto& entry = texts_[static_cast<std::size_t>(id)];
  MUSTER_ASSERT(entry.users > 0, "a text is released by those who interned it, once");
  if (--entry.users > 0)
    return;
  by_text_.erase(entry.text);
  entry.text = {};
  free_.push_back(id);
}

} // namespace muster::actors
