# Finds BoringSSL as BoringSSL::ssl and BoringSSL::crypto, in this order:
#   1. BORINGSSL_ROOT, a folder with libssl.a, libcrypto.a and include/ (also in lib/), given by whoever configures;
#   2. the newest build that cmake/boringssl.sh left in the user's cache folder;
#   3. Debian's android-libboringssl-dev, with a warning: it is several times slower and not static.
# Library and headers are always taken from the same place, because a mix of two versions fails silently.
set(BORINGSSL_ROOT "" CACHE PATH "Folder with libssl.a, libcrypto.a and include/; empty: look for it")

set(_boringssl_folder "${BORINGSSL_ROOT}")
if(NOT _boringssl_folder)
  set(_boringssl_cache "$ENV{XDG_CACHE_HOME}")
  if(NOT _boringssl_cache)
    set(_boringssl_cache "$ENV{HOME}/.cache")
  endif()
  file(GLOB _boringssl_builds "${_boringssl_cache}/muster/boringssl/*/libssl.a")
  if(_boringssl_builds)
    list(SORT _boringssl_builds COMPARE NATURAL ORDER DESCENDING)
    list(GET _boringssl_builds 0 _boringssl_folder)
    cmake_path(GET _boringssl_folder PARENT_PATH _boringssl_folder)
  endif()
endif()

# Not cached: another root, or a newer build, is taken at the next configure.
if(_boringssl_folder)
  set(_boringssl_where HINTS "${_boringssl_folder}" "${_boringssl_folder}/lib" NO_DEFAULT_PATH NO_CACHE)
  find_library(BoringSSL_SSL NAMES libssl.a ${_boringssl_where})
  find_library(BoringSSL_CRYPTO NAMES libcrypto.a ${_boringssl_where})
  find_path(BoringSSL_INCLUDE_DIR openssl/is_boringssl.h HINTS "${_boringssl_folder}/include" NO_DEFAULT_PATH NO_CACHE)
else()
  set(_boringssl_where HINTS "/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/android" NO_DEFAULT_PATH NO_CACHE)
  find_library(BoringSSL_SSL NAMES ssl ${_boringssl_where})
  find_library(BoringSSL_CRYPTO NAMES crypto ${_boringssl_where})
  find_path(BoringSSL_INCLUDE_DIR openssl/is_boringssl.h HINTS /usr/include/android NO_DEFAULT_PATH NO_CACHE)
  if(BoringSSL_SSL)
    message(WARNING "Using Debian's binary BoringSSL, whose P-256 is four times slower and whose shared library must "
                    "not meet OpenSSL in one process. Run cmake/boringssl.sh, or set BORINGSSL_ROOT.")
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BoringSSL
  REQUIRED_VARS BoringSSL_SSL BoringSSL_CRYPTO BoringSSL_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "Run cmake/boringssl.sh once, or set BORINGSSL_ROOT.")

if(BoringSSL_FOUND AND NOT TARGET BoringSSL::ssl)
  find_package(Threads REQUIRED)
  add_library(BoringSSL::crypto UNKNOWN IMPORTED)
  set_target_properties(BoringSSL::crypto PROPERTIES
    IMPORTED_LOCATION "${BoringSSL_CRYPTO}"
    INTERFACE_INCLUDE_DIRECTORIES "${BoringSSL_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES Threads::Threads)
  add_library(BoringSSL::ssl UNKNOWN IMPORTED)
  set_target_properties(BoringSSL::ssl PROPERTIES
    IMPORTED_LOCATION "${BoringSSL_SSL}"
    INTERFACE_INCLUDE_DIRECTORIES "${BoringSSL_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES BoringSSL::crypto)
endif()
