#include "net/sealed_box.hpp"

#include <doctest/doctest.h>

#include <string>

using muster::net::sealed_box;

namespace {

sealed_box box_of(std::uint8_t first) {
  sealed_box::key key{};
  key[0] = first;
  return sealed_box{key};
}

} // namespace

TEST_CASE("what was sealed opens with the same key and context, and with no other") {
  const auto box = box_of(1);
  for (const auto& plain : {std::string{}, std::string{"s3cret"}, std::string(70'000, '\0')}) {
    const auto sealed = box.seal(plain, "here");
    CHECK(sealed.size() == plain.size() + sealed_box::overhead_bytes);
    CHECK(box.open(sealed, "here") == plain);
    CHECK_FALSE(box.open(sealed, "there"));
    CHECK_FALSE(box.open(sealed, ""));
    CHECK_FALSE(box_of(2).open(sealed, "here"));
  }
}

TEST_CASE("the same text is never sealed the same way twice, and does not show") {
  const auto box = box_of(1);
  const auto first = box.seal("a password", "x");
  CHECK(first != box.seal("a password", "x"));
  CHECK(first.find("password") == std::string::npos);
}

TEST_CASE("a sealed text that was cut, lengthened or touched anywhere does not open") {
  const auto box = box_of(1);
  const auto sealed = box.seal("a password", "x");
  for (std::size_t length = 0; length < sealed.size(); ++length)
    CHECK_FALSE(box.open(std::string_view{sealed}.substr(0, length), "x"));
  CHECK_FALSE(box.open(sealed + '\0', "x"));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    auto touched = sealed;
    touched[bit / 8] = static_cast<char>(touched[bit / 8] ^ 1 << bit % 8);
    CHECK_FALSE(box.open(touched, "x"));
  }
}
