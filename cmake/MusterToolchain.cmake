# How everything in this build is compiled, whoever wrote it: sanitizers, launcher, linker.

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Debug)
endif()
# Frame pointers make every profile and every crash report readable for less than a percent of speed.
add_compile_options(-fno-omit-frame-pointer)
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g1")

# Paths in assertions and debug information start at the source tree: builds of two clones agree.
add_compile_options("-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")

# A program carries only the shared libraries that it calls.
add_link_options(LINKER:--as-needed)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The two sloppiness words are what ccache asks for to be able to keep precompiled headers. With the base directory
  # and without the working directory in the hash, all clones on a machine share one cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER /usr/bin/env
    "CCACHE_SLOPPINESS=pch_defines,time_macros" "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" "CCACHE_NOHASHDIR=1"
    "${CCACHE_PROGRAM}")
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # ccache needs the preprocessed form of a precompiled header to know whether it still fits.
  add_compile_options(-fpch-preprocess)
endif()

if(MUSTER_SANITIZE STREQUAL "address")
  # Not optimised: compiling is what this build costs, and its tests take seconds all the same.
  set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
elseif(MUSTER_SANITIZE STREQUAL "thread")
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
elseif(MUSTER_SANITIZE)
  message(FATAL_ERROR "MUSTER_SANITIZE is '${MUSTER_SANITIZE}'; it may be empty, 'address' or 'thread'")
endif()

if(MUSTER_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "MUSTER_FUZZ needs clang: use the preset 'fuzz', or leave it off")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
