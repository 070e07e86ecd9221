# cmake -DVERSION=... -DSOURCE=... -DOUTPUT=... -P write_version.cmake
# Writes the definition of muster::version(), and touches the file only when it changed.
set(commit "")
execute_process(
  COMMAND git -C "${SOURCE}" rev-parse --short=10 HEAD
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit "unknown")
endif()
set(text "#include <muster/version.hpp>

namespace muster {

std::string_view version() noexcept {
  return \"${VERSION} (${commit})\";
}

} // namespace muster
")
set(before "")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" before)
endif()
if(NOT before STREQUAL text)
  file(WRITE "${OUTPUT}" "${text}")
endif()
