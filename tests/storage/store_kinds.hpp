#pragma once
// Both kinds of store, for tests that ask each the same.

#include "storage/memory_store.hpp"
#include "storage/rocks_store.hpp"
#include "tests/temp_directory.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <system_error>

namespace muster::test {

struct memory_kind {
  storage::memory_store subject;
  storage::store& get() { return subject; }
};

struct rocks_kind {
  temp_directory directory;
  std::error_code ec;
  std::string problem;
  std::unique_ptr<storage::store> subject =
    storage::open_rocks_store({.directory = directory.path() / "db"}, ec, problem);
  storage::store& get() {
    REQUIRE_MESSAGE(subject != nullptr, problem);
    return *subject;
  }
};

} // namespace muster::test
