#include "net/splitter.hpp"

#include "net/errc.hpp"
#include "net/frame.hpp"
#include "net/limits.hpp"

#include <algorithm>

namespace muster::net {

namespace {

/// Cuts frames. `partial_` holds the header and payload of a message in the making, and grows only
/// as bytes arrive: a peer that announces a megabyte and stays silent costs us four bytes.
class frame_splitter final : public splitter {
public:
  bool next(std::string_view& in, std::string& out, std::error_code& ec) override {
    ec.clear();
    if (partial_.empty()) {
      const auto frame = peek_frame(in, payload_bytes_max_);
      if (frame.status == frame_status::complete) {
        out.assign(frame.payload);
        in.remove_prefix(frame.frame_bytes);
        return true;
      }
      if (frame.status == frame_status::too_large)
        return refuse(in, ec);
    }
    return continue_partial(in, out, ec);
  }

  void trust() override { payload_bytes_max_ = limits::frame_bytes_max; }

  bool in_message() const override { return !partial_.empty(); }

  void wrap(std::string& message) const override { prepend_frame_header(message); }

private:
  bool refuse(std::string_view& in, std::error_code& ec) {
    in = {};
    partial_ = {};
    ec = errc::frame_too_large;
    return false;
  }

  /// Takes from `in` what the message begun needs: first the header, then the payload.
  bool continue_partial(std::string_view& in, std::string& out, std::error_code& ec) {
    if (partial_.size() < frame_header_bytes)
      take(in, frame_header_bytes - partial_.size());
    auto frame = peek_frame(partial_, payload_bytes_max_);
    if (frame.status == frame_status::too_large)
      return refuse(in, ec);
    if (frame.status == frame_status::incomplete) {
      take(in, missing());
      frame = peek_frame(partial_, payload_bytes_max_);
    }
    if (frame.status != frame_status::complete)
      return false;
    partial_.erase(0, frame_header_bytes);
    out = std::move(partial_);
    partial_ = {};
    return true;
  }

  /// How many bytes the frame in `partial_` still needs.
  std::size_t missing() const {
    if (partial_.size() < frame_header_bytes)
      return frame_header_bytes - partial_.size();
    std::size_t size = 0;
    for (std::size_t i = 0; i < frame_header_bytes; ++i)
      size = (size << 8) | static_cast<std::uint8_t>(partial_[i]);
    return frame_header_bytes + size - partial_.size();
  }

  void take(std::string_view& in, std::size_t bytes) {
    bytes = std::min(bytes, in.size());
    partial_.append(in.substr(0, bytes));
    in.remove_prefix(bytes);
  }

  std::string partial_;
  std::size_t payload_bytes_max_ = limits::frame_bytes_anonymous_max;
};

} // namespace

std::unique_ptr<splitter> make_frame_splitter() {
  return std::make_unique<frame_splitter>();
}

} // namespace muster::net
