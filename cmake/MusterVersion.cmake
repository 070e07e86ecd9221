# The version with the commit, asked for at build time: a new commit compiles one small file and links the programs.
set(muster_version_source "${PROJECT_BINARY_DIR}/generated/version.cpp")
add_custom_target(muster_commit
  COMMAND "${CMAKE_COMMAND}" "-DVERSION=${PROJECT_VERSION}" "-DSOURCE=${PROJECT_SOURCE_DIR}"
          "-DOUTPUT=${muster_version_source}" -P "${PROJECT_SOURCE_DIR}/cmake/write_version.cmake"
  BYPRODUCTS "${muster_version_source}"
  COMMENT "Asking git for the commit"
  VERBATIM)
add_library(muster_version STATIC "${muster_version_source}")
add_dependencies(muster_version muster_commit)
target_link_libraries(muster_version PUBLIC muster_options)
