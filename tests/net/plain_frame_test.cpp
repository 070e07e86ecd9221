// What travels on the plain port after its handshake: read by anybody, changed by nobody.

#include "tests/net/plain_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>

using namespace muster::net;
using namespace muster::net::testing;

namespace {

/// A wire over which three messages and the end are on their way, up or down, each a frame.
struct busy_wire : plain_wire {
  static constexpr const char* said[] = {"one", "two", "three"};
  bool up;
  std::vector<std::string> frames;

  explicit busy_wire(const plain_world& world, bool upwards = true)
    : plain_wire(world), up(upwards) {
    handshake();
    REQUIRE(open());
    auto& speaker = up ? agent : server;
    auto& wire = up ? to_server : to_agent;
    for (const auto* text : said)
      REQUIRE_FALSE(speaker.send(text, wire));
    speaker.shutdown(wire);
    frames = frames_in(wire);
    wire.clear();
  }

  /// Delivers these frames and tells what came of it.
  void deliver(const std::vector<std::string>& which) {
    for (const auto& frame : which)
      (up ? to_server : to_agent) += frame;
    up ? carry_up() : carry_down();
  }
  [[nodiscard]] plain_engine& listener() { return up ? server : agent; }
  [[nodiscard]] const std::string& heard() const { return up ? at_server : at_agent; }
  [[nodiscard]] std::error_code error() const { return up ? server_error : agent_error; }
};

} // namespace

TEST_CASE_FIXTURE(plain_world, "sealed frames arrive in order and end with the end") {
  for (const bool up : {true, false}) {
    busy_wire w(*this, up);
    REQUIRE(w.frames.size() == 4);
    w.deliver(w.frames);
    CHECK_FALSE(w.error());
    CHECK(w.heard() == "onetwothree");
    CHECK(w.listener().peer_closed());
  }
}

TEST_CASE_FIXTURE(plain_world, "a long message goes in several frames and arrives whole") {
  plain_wire w(*this);
  w.handshake();
  std::string text(100'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i)
    text[i] = static_cast<char>(i * 7 / 3);
  w.server_says(text);
  CHECK(frames_in(w.to_agent).size() == 7);
  for (const auto& frame : frames_in(w.to_agent))
    CHECK(frame.size() <= frame_header_bytes + plain_frame_bytes_max);
  w.run(999);
  CHECK(w.at_agent == text);
  CHECK_FALSE(w.agent.in_unit());
}

TEST_CASE_FIXTURE(plain_world, "every bit of a sealed frame that is flipped is noticed") {
  // The last frame is the end: nothing may end a conversation but who is in it.
  for (const bool up : {true, false})
    for (const std::size_t which : {1U, 3U}) {
      busy_wire first(*this, up);
      const auto bits = 8 * first.frames[which].size();
      for (std::size_t bit = 0; bit < bits; ++bit) {
        CAPTURE(up);
        CAPTURE(which);
        CAPTURE(bit);
        busy_wire w(*this, up);
        auto& victim = w.frames[which].at(bit / 8);
        victim = static_cast<char>(victim ^ (1U << (bit % 8)));
        w.deliver(w.frames);
        CHECK(w.heard() == (which == 1 ? "one" : "onetwothree"));
        CHECK_FALSE(w.listener().peer_closed());
        // A greater length waits for more than there is; the link gives that up in time.
        CHECK((w.error() == errc::altered || w.listener().in_unit()));
      }
    }
}

TEST_CASE_FIXTURE(plain_world, "frames left out, repeated or in another order are noticed") {
  const auto refused = [&](const std::vector<std::size_t>& order, std::string_view delivered) {
    for (const bool up : {true, false}) {
      busy_wire w(*this, up);
      std::vector<std::string> which;
      for (const auto index : order)
        which.push_back(w.frames[index]);
      w.deliver(which);
      CHECK(w.error() == errc::altered);
      CHECK(w.heard() == delivered);
      CHECK_FALSE(w.listener().peer_closed());
    }
  };
  refused({1}, "");
  refused({0, 2}, "one");
  refused({0, 0}, "one");
  refused({1, 0}, "");
  refused({0, 1, 0}, "onetwo");
  refused({0, 1, 3}, "onetwo");
  refused({3}, "");
}

TEST_CASE_FIXTURE(plain_world, "a stream cut anywhere has not ended") {
  for (const bool up : {true, false}) {
    std::string stream;
    for (const auto& frame : busy_wire(*this, up).frames)
      stream += frame;
    const auto size = stream.size();
    for (std::size_t end = 0; end < size; ++end) {
      CAPTURE(up);
      CAPTURE(end);
      busy_wire w(*this, up);
      stream.clear();
      for (const auto& frame : w.frames)
        stream += frame;
      w.deliver({stream.substr(0, end)});
      CHECK_FALSE(w.error());
      CHECK_FALSE(w.listener().peer_closed());
      CHECK(std::string_view("onetwothree").starts_with(w.heard()));
    }
  }
}

TEST_CASE_FIXTURE(plain_world, "what comes behind the end is nothing") {
  busy_wire w(*this);
  auto which = w.frames;
  which.push_back(w.frames[0]);
  w.deliver(which);
  CHECK_FALSE(w.server_error);
  CHECK(w.at_server == "onetwothree");
  std::string out;
  CHECK(w.agent.send("more", out));
  CHECK(out.empty());
}

TEST_CASE_FIXTURE(plain_world, "one's own frames sent back are noticed") {
  busy_wire w(*this);
  std::string plain;
  std::string out;
  CHECK(w.agent.receive(bytes_of(w.frames[0]), plain, out) == errc::altered);
  CHECK(plain.empty());
}

TEST_CASE_FIXTURE(plain_world, "frames of another conversation of the same two are noticed") {
  busy_wire first(*this);
  busy_wire second(*this);
  second.deliver({first.frames[0]});
  CHECK(second.server_error == errc::altered);
  CHECK(second.at_server.empty());
}

TEST_CASE_FIXTURE(plain_world, "a word for the handshake has no meaning in the middle of a talk") {
  std::string refusal;
  put_plain_frame(plain_kind::refusal, "\1", refusal);
  busy_wire w(*this);
  w.server_says("welcome");
  w.carry_down();
  std::string plain;
  std::string out;
  CHECK(w.agent.receive(bytes_of(refusal), plain, out) == errc::altered);
  CHECK(w.server.receive(bytes_of(refusal), plain, out) == errc::altered);
}

TEST_CASE("sealing needs the key, the number, the kind and every byte") {
  plain_key key{};
  key.fill(7);
  std::string frame;
  plain_sealer(key).seal(plain_kind::data, "text", frame);
  const auto payload = std::string_view(frame).substr(frame_header_bytes);
  auto kind = plain_kind::end;
  std::string_view body;
  plain_opener right(key);
  REQUIRE(right.open(payload, kind, body));
  CHECK(kind == plain_kind::data);
  CHECK(body == "text");
  CHECK_FALSE(right.open(payload, kind, body)); // the number has gone on

  auto other = key;
  other[31] ^= 1U;
  CHECK_FALSE(plain_opener(other).open(payload, kind, body));
  for (std::size_t size = 0; size < payload.size(); ++size)
    CHECK_FALSE(plain_opener(key).open(payload.substr(0, size), kind, body));
}

TEST_CASE("frames come out the same however the stream was cut, and leave nothing behind") {
  std::string stream;
  for (const auto* body : {"", "a", "something longer"})
    put_plain_frame(plain_kind::agent_hello, body, stream);
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    plain_frame_cutter cutter;
    std::string found;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      auto rest = std::string_view(stream).substr(at, piece);
      std::string_view payload;
      while (cutter.next(rest, 100, payload) == frame_status::complete)
        found += std::string(payload.substr(1)) + ';';
      CHECK(rest.empty());
    }
    CHECK(found == ";a;something longer;");
    CHECK_FALSE(cutter.in_frame());
  }
}

TEST_CASE("a frame above the bound is known by its header") {
  plain_frame_cutter cutter;
  std::string_view payload;
  std::string_view in("\0\0\0\5", 4);
  CHECK(cutter.next(in, 4, payload) == frame_status::too_large);
  plain_frame_cutter slow;
  for (const char c : {'\0', '\0', '\0'}) {
    std::string_view one(&c, 1);
    CHECK(slow.next(one, 4, payload) == frame_status::incomplete);
    CHECK(slow.in_frame());
  }
  std::string_view last("\5", 1);
  CHECK(slow.next(last, 4, payload) == frame_status::too_large);
}
