#pragma once
// Texts that many devices share (an OS, a version), each kept once. Pure.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace muster::actors {

/// Names a text of a pool; zero is the empty text.
enum class text_id : std::uint32_t { empty = 0 };

/// Counts who uses a text and forgets it with its last user, so that agents that call themselves
/// something new every day cannot make it grow. Use by one thread at a time.
class text_pool {
public:
  text_pool() : texts_(1) {}

  /// Another user of this text; release() when it is done with it.
  [[nodiscard]] text_id intern(std::string_view text);
  void release(text_id id);
  /// Valid until the text's last user releases it.
  [[nodiscard]] std::string_view text(text_id id) const {
    return texts_[static_cast<std::size_t>(id)].text;
  }
  /// Different texts in use, the empty one left out.
  [[nodiscard]] std::size_t size() const noexcept { return by_text_.size(); }

private:
  struct shared_text {
    std::string text;
    std::size_t users = 0;
  };
  std::deque<shared_text> texts_; ///< never moves what is inside: by_text_ looks into it
  std::vector<text_id> free_;
  std::unordered_map<std::string_view, text_id> by_text_;
};

} // namespace muster::actors
