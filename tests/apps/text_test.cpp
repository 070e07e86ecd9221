#include "apps/common/logging.hpp"
#include "apps/common/utf8.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <string_view>

using namespace muster;
using namespace std::string_view_literals;

TEST_CASE("columns count what a terminal shows") {
  CHECK(utf8::columns("abc"sv) == 3);
  CHECK(utf8::columns("Grüße"sv) == 5);
  CHECK(utf8::columns("日本"sv) == 4);
  CHECK(utf8::columns("e\u0301"sv) == 1);
  CHECK(utf8::columns("🦆"sv) == 2);
  CHECK(utf8::columns("…"sv) == 1);
}

TEST_CASE("what is cut fits and never ends inside a character") {
  CHECK(utf8::cut("short", 10) == "short");
  CHECK(utf8::cut("exactly", 7) == "exactly");
  CHECK(utf8::cut("too long", 4) == "too…");
  CHECK(utf8::cut("日本語", 4) == "日…");
  CHECK(utf8::cut("Grüße", 3) == "Gr…");
  CHECK(utf8::cut("abc", 1) == "…");
  CHECK(utf8::cut("abc", 0).empty());
}

TEST_CASE("a stranger's text cannot steer a terminal") {
  CHECK(utf8::clean("a\nb\tc") == "a b c");
  CHECK(utf8::clean("\x1b[2J") == "\uFFFD[2J");
  CHECK(utf8::clean("x\xC2\x9B"
                    "31m") == "x\uFFFD31m");
  CHECK(utf8::clean("user\u202Etxt") == "user\uFFFDtxt");
  CHECK(utf8::clean("plain ü 日") == "plain ü 日");
}

TEST_CASE("malformed bytes are replaced one by one") {
  CHECK(utf8::clean("a\xFF\x62"sv) == "a\uFFFDb");
  CHECK(utf8::clean("\xE2\x82"sv) == "\uFFFD\uFFFD");
  CHECK(utf8::clean("\xC0\x80"sv) == "\uFFFD\uFFFD");
  CHECK(utf8::clean("\xED\xA0\x80"sv) == "\uFFFD\uFFFD\uFFFD");
  CHECK(utf8::clean("\xF4\x90\x80\x80"sv) == "\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST_CASE("one log message is one line") {
  CHECK(logging::one_line("fine, ü") == "fine, ü");
  CHECK(logging::one_line("a\nb") == "a\\x0ab");
  CHECK(logging::one_line("\x1b[0m") == "\\x1b[0m");
  CHECK(logging::one_line("\xFF") == "\\xff");
  CHECK(logging::one_line("\xC2\x85") == "\\xc2\\x85");
}

TEST_CASE("the journal is recognised by the very stream it gave us") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  struct stat status {};
  REQUIRE(::fstat(ends[1], &status) == 0);
  const auto name = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  CHECK(logging::is_journal(name.c_str(), ends[1]));
  CHECK_FALSE(logging::is_journal("1:2", ends[1]));
  CHECK_FALSE(logging::is_journal("nonsense", ends[1]));
  CHECK_FALSE(logging::is_journal(nullptr, ends[1]));
  ::close(ends[0]);
  ::close(ends[1]);
}
