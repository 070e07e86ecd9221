# How tests become known to ctest: one ctest entry per doctest case, so that cases run in parallel and fail by name.

# Sanitizers slow everything down; a time limit is there to end what hangs, not to measure.
set(muster_timeout_factor 1)
if(MUSTER_SANITIZE)
  set(muster_timeout_factor 5)
endif()

# A finding of a sanitizer ends the test and tells where it came from.
set(muster_test_environment "")
if(MUSTER_SANITIZE STREQUAL "address")
  set(muster_test_environment ";ENVIRONMENT;UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1")
elseif(MUSTER_SANITIZE STREQUAL "thread")
  set(muster_test_environment ";ENVIRONMENT;TSAN_OPTIONS=halt_on_error=1:suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp")
endif()

# muster_test(NAME LABEL label [TIMEOUT seconds] LIBRARIES ... [PRECOMPILE ...] [FOLDER folder])
# An executable from every .cpp in tests/FOLDER (the name without _test unless given), with doctest's main, each case
# registered by itself. Without sources there is no target. Joins the group target tests_LABEL.
function(muster_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT;FOLDER" "LIBRARIES;PRECOMPILE;DEFINITIONS;DEPENDS")
  if(NOT arg_FOLDER)
    string(REGEX REPLACE "_test$" "" arg_FOLDER "${name}")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${arg_FOLDER}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE muster_options muster_test_main ${arg_LIBRARIES})
  target_precompile_headers(${name} PRIVATE <doctest/doctest.h> ${arg_PRECOMPILE})
  target_compile_definitions(${name} PRIVATE ${arg_DEFINITIONS})
  if(arg_DEPENDS)
    add_dependencies(${name} ${arg_DEPENDS})
  endif()
  add_dependencies(tests_${arg_LABEL} ${name})
  math(EXPR timeout "${arg_TIMEOUT} * ${muster_timeout_factor}")

  set(list "${CMAKE_CURRENT_BINARY_DIR}/${name}_cases.cmake")
  add_custom_command(
    TARGET ${name} POST_BUILD
    COMMAND "${CMAKE_COMMAND}" "-DPROGRAM=$<TARGET_FILE:${name}>" "-DNAME=${name}" "-DOUTPUT=${list}"
            "-DPROPERTIES=TIMEOUT;${timeout};LABELS;${arg_LABEL}${muster_test_environment}"
            -P "${PROJECT_SOURCE_DIR}/cmake/list_test_cases.cmake"
    BYPRODUCTS "${list}"
    VERBATIM)
  set(include "${CMAKE_CURRENT_BINARY_DIR}/${name}_include.cmake")
  file(WRITE "${include}"
    "if(EXISTS \"${list}\")\n  include(\"${list}\")\nelse()\n  add_test(${name}_is_not_built false)\n"
    "  set_tests_properties(${name}_is_not_built PROPERTIES LABELS ${arg_LABEL})\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${include}")
endfunction()

# muster_fuzz(file) registers tests/fuzz/PREFIX_..._fuzz.cpp, which defines LLVMFuzzerTestOneInput. The prefix names
# the room it tests (net, storage, rules, actors, agent, apps). In every build it becomes a short ctest run: all seeds
# of tests/fuzz/seeds/NAME and a bounded number of mutations of them. With MUSTER_FUZZ it is a libFuzzer program too.
function(muster_fuzz source)
  cmake_path(GET source STEM stem)
  string(REGEX REPLACE "_fuzz$" "" name "${stem}")
  string(REGEX MATCH "^[a-z]+" prefix "${name}")
  set(libraries_net muster_net)
  set(libraries_storage muster_storage)
  set(libraries_rules muster_rules)
  set(libraries_actors muster_actors)
  set(libraries_agent muster_agent_actors)
  set(libraries_apps muster_app_common ${muster_app_libraries})
  if(NOT DEFINED libraries_${prefix})
    message(FATAL_ERROR "${source}: the name must begin with net_, storage_, rules_, actors_, agent_ or apps_")
  endif()
  set(libraries muster_options ${libraries_${prefix}})
  foreach(library IN LISTS libraries)
    if(NOT TARGET ${library})
      return() # a build without actors
    endif()
  endforeach()
  set(seeds "${CMAKE_CURRENT_SOURCE_DIR}/fuzz/seeds/${name}")

  add_executable(${name}_replay "${source}" "${CMAKE_CURRENT_SOURCE_DIR}/fuzz/replay_main.cpp")
  target_link_libraries(${name}_replay PRIVATE ${libraries})
  add_test(NAME "fuzz: ${name}" COMMAND ${name}_replay "${seeds}")
  math(EXPR timeout "60 * ${muster_timeout_factor}")
  set_tests_properties("fuzz: ${name}" PROPERTIES LABELS pure TIMEOUT ${timeout})
  add_dependencies(tests_pure ${name}_replay)

  if(MUSTER_FUZZ)
    add_executable(${stem} "${source}")
    target_link_libraries(${stem} PRIVATE ${libraries})
    target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzz ${stem})
  endif()
endfunction()
