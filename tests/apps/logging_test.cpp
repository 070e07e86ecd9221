#include "apps/common/logging.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/wrappers.pb.h>

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace {

/// What is written to stderr while `work` runs.
template <class Work>
std::string stderr_of(Work work) {
  auto name = (std::filesystem::temp_directory_path() / "muster-stderr-XXXXXX").string();
  const int file = ::mkstemp(name.data());
  REQUIRE(file >= 0);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(file, STDERR_FILENO);
  work();
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  ::close(file);
  std::ifstream in(name);
  std::string out{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  std::filesystem::remove(name);
  return out;
}

/// Field 1, a string of one byte that is no UTF-8.
void parse_bad_text() {
  google::protobuf::StringValue message;
  CHECK_FALSE(message.ParseFromString(std::string("\x0a\x01\xff", 3)));
}

} // namespace

TEST_CASE("a stranger's bad text does not reach the log") {
  CHECK(stderr_of([] {
          muster::logging::start("info");
          parse_bad_text();
        }).empty());
  // Whoever asks for everything sees it, on one line.
  const auto words = stderr_of([] {
    muster::logging::start("debug");
    parse_bad_text();
  });
  CHECK(words.find("protobuf: ") != std::string::npos);
  CHECK(words.find('\n') == words.size() - 1);
}
