#include "net/password.hpp"

#include <doctest/doctest.h>

using namespace muster::net;

TEST_CASE("a password fits its own record and no other") {
  const auto record = hash_password("correct horse");
  CHECK(record.starts_with("scrypt$15$8$1$"));
  CHECK(verify_password("correct horse", record));
  CHECK_FALSE(verify_password("correct hors", record));
  CHECK_FALSE(verify_password("", record));
}

TEST_CASE("the same password is never stored twice the same") {
  CHECK(hash_password("x") != hash_password("x"));
}

TEST_CASE("a record made by the published test vector's parameters is understood") {
  // RFC 7914, 12: scrypt("pleaseletmein", "SodiumChloride", 2^14, 8, 1), first 32 bytes.
  const char* record = "scrypt$14$8$1$536f6469756d43686c6f72696465$"
                       "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2";
  CHECK(verify_password("pleaseletmein", record));
  CHECK_FALSE(verify_password("pleaseletmeout", record));
}

TEST_CASE("a cut or costly password record fits nothing") {
  const auto record = hash_password("secret");
  for (std::size_t length = 0; length < record.size(); length += 3)
    CHECK_FALSE(verify_password("secret", record.substr(0, length)));
  const auto rest = record.substr(std::string{"scrypt$15$8$1"}.size());
  for (const char* head : {"scrypt$17$8$1", "scrypt$63$8$1", "scrypt$15$99999999$1",
                           "scrypt$15$8$1000000", "scrypt$0$8$1", "scrypt$-1$8$1", "argon$15$8$1"})
    CHECK_FALSE(verify_password("secret", head + rest));
}
