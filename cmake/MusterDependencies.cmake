# Everything that others wrote, each found once and wrapped under the name our targets use.

find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(RocksDB CONFIG REQUIRED)
find_package(zstd CONFIG REQUIRED)
find_package(doctest CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(tomlplusplus CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(CCTZ REQUIRED)
find_package(BoringSSL REQUIRED)

# BoringSSL, static. Its names are the names of OpenSSL 3, which other libraries may bring into the same process:
# they are kept out of our dynamic symbol tables, so that nobody else can bind to them.
add_library(muster_boringssl INTERFACE)
target_link_libraries(muster_boringssl INTERFACE BoringSSL::ssl BoringSSL::crypto)
target_link_options(muster_boringssl INTERFACE "LINKER:--exclude-libs,libssl.a:libcrypto.a")

# Asio without Boost, compiled once instead of into every file that includes it.
find_path(ASIO_INCLUDE_DIR asio/impl/src.hpp REQUIRED)
add_library(muster_asio STATIC "${PROJECT_SOURCE_DIR}/cmake/asio.cpp")
target_include_directories(muster_asio SYSTEM PUBLIC "${ASIO_INCLUDE_DIR}")
target_compile_definitions(muster_asio PUBLIC ASIO_STANDALONE ASIO_SEPARATE_COMPILATION ASIO_NO_DEPRECATED)
target_link_libraries(muster_asio PUBLIC Threads::Threads)

# Boost is here for the parser and serializer of Beast, nothing else.
find_path(BOOST_BEAST_INCLUDE_DIR boost/beast/http/parser.hpp REQUIRED)
add_library(muster_beast INTERFACE)
target_include_directories(muster_beast SYSTEM INTERFACE "${BOOST_BEAST_INCLUDE_DIR}")

add_library(muster_rocksdb INTERFACE)
target_link_libraries(muster_rocksdb INTERFACE RocksDB::rocksdb-shared)

add_library(muster_zstd INTERFACE)
target_link_libraries(muster_zstd INTERFACE zstd::libzstd_shared)

if(muster_with_actors)
  find_package(CAF REQUIRED)
  find_package(spdlog CONFIG REQUIRED)
  find_package(CLI11 CONFIG REQUIRED)
  find_package(prometheus-cpp CONFIG REQUIRED)

  # sd-bus, by which the agent asks systemd about its services.
  find_path(SYSTEMD_INCLUDE_DIR systemd/sd-bus.h REQUIRED)
  find_library(SYSTEMD_LIBRARY systemd REQUIRED)
  add_library(muster_systemd INTERFACE)
  target_include_directories(muster_systemd SYSTEM INTERFACE "${SYSTEMD_INCLUDE_DIR}")
  target_link_libraries(muster_systemd INTERFACE "${SYSTEMD_LIBRARY}")

  add_library(muster_caf INTERFACE)
  target_link_libraries(muster_caf INTERFACE CAF::core)
  target_compile_definitions(muster_caf INTERFACE CAF_ENABLE_TYPE_ID_CHECKS)
  if(MUSTER_SANITIZE STREQUAL "address")
    # CAF forms references from null pointers on purpose, inline in its headers.
    target_compile_options(muster_caf INTERFACE -fno-sanitize=null)
  endif()

  # What every file with an actor includes anyway.
  set(muster_caf_headers
    <caf/actor_system.hpp> <caf/actor_system_config.hpp> <caf/send.hpp> <caf/stateful_actor.hpp>
    <caf/typed_actor.hpp> <caf/typed_event_based_actor.hpp>)
endif()
