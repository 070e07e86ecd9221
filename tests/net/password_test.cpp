#include "net/password.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace muster::net;

namespace {

// RFC 7914, section 12, in our form: "pleaseletmein" with "SodiumChloride", cut to our 32 bytes
// (scrypt ends in PBKDF2, whose shorter outputs are the beginnings of longer ones).
constexpr const char* known = "scrypt$14$8$1$536f6469756d43686c6f72696465$"
                              "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2";

} // namespace

TEST_CASE("a password is known again, and only that one") {
  const auto record = hash_password("correct horse");
  CHECK(record.starts_with("scrypt$15$8$1$"));
  CHECK(verify_password("correct horse", record));
  CHECK_FALSE(verify_password("correct hors", record));
  CHECK_FALSE(verify_password("correct horse ", record));
  CHECK_FALSE(verify_password("", record));
  CHECK(record.find("correct") == std::string::npos);
}

TEST_CASE("the same password has another record each time") {
  const auto a = hash_password("same");
  const auto b = hash_password("same");
  CHECK(a != b);
  CHECK(verify_password("same", b));
}

TEST_CASE("our scrypt is the one of RFC 7914") {
  CHECK(verify_password("pleaseletmein", known));
  CHECK_FALSE(verify_password("pleaseletmeout", known));
}

TEST_CASE("passwords may be long and hold any byte") {
  const std::string odd("\0\xff$ \n", 5);
  CHECK(verify_password(odd, hash_password(odd)));
  CHECK_FALSE(verify_password(odd.substr(0, 1), hash_password(odd)));
}

TEST_CASE("a record cut or extended at any place matches nothing") {
  const std::string record = known;
  // From the hash on: what is shorter has no whole hash, whatever the cost says.
  for (std::size_t size = 0; size < record.size(); ++size)
    CHECK_FALSE(verify_password("pleaseletmein", record.substr(0, size)));
  CHECK_FALSE(verify_password("pleaseletmein", record + "00"));
  CHECK_FALSE(verify_password("pleaseletmein", record + "$"));
  CHECK_FALSE(verify_password("pleaseletmein", "$" + record));
}

TEST_CASE("a record that asks for too much is refused before any work") {
  const std::string rest = "$536f6469756d43686c6f72696465$"
                           "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2";
  for (const auto* cost :
       {"17$8$1", "16$9$1", "24$64$1", "63$8$1", "64$8$1", "4294967295$8$1", "4294967310$8$1",
        "14$4294967295$1", "14$8$5", "14$8$4294967295", "0$8$1", "14$0$1", "14$8$0", "-1$8$1",
        "14$8$ 1", "14 $8$1", "14$8", "$$"})
    CHECK_FALSE(verify_password("pleaseletmein", std::string("scrypt$") + cost + rest));
  CHECK_FALSE(verify_password("pleaseletmein", "bcrypt$14$8$1" + rest));
  CHECK_FALSE(verify_password("pleaseletmein", "scrypt$14$8$1$$" + rest.substr(30)));
  CHECK_FALSE(verify_password("pleaseletmein", ""));
}
