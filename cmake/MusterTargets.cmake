# How our own code is compiled, and the two functions by which the folders declare what they build.

# Every target of ours uses this one; foreign and generated code never does.
add_library(muster_options INTERFACE)
target_compile_features(muster_options INTERFACE cxx_std_20)
target_include_directories(muster_options INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/cmake/include")
target_compile_options(muster_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast
  -Wextra-semi -Wimplicit-fallthrough -Werror=switch -Werror=return-type
  $<$<BOOL:${MUSTER_WERROR}>:-Werror>)

# muster_library(NAME SOURCES ... [PUBLIC ...] [PRIVATE ...] [PRECOMPILE ...])
# A static library in our style. PUBLIC and PRIVATE are the libraries it uses, PRECOMPILE the headers to precompile.
# While it has no sources it is an INTERFACE library, so that others can already link it.
function(muster_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;PUBLIC;PRIVATE;PRECOMPILE")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "muster_library(${name}): what is '${arg_UNPARSED_ARGUMENTS}'?")
  endif()
  if(NOT arg_SOURCES)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE muster_options ${arg_PUBLIC} ${arg_PRIVATE})
    return()
  endif()
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC muster_options ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
  if(arg_PRECOMPILE)
    target_precompile_headers(${name} PRIVATE ${arg_PRECOMPILE})
  endif()
endfunction()

# muster_program(NAME FOLDER LIBRARIES ... [PRECOMPILE ...])
# A program of apps/FOLDER: main.cpp becomes the executable NAME; the other sources become the library
# muster_app_FOLDER, which tests can link. While there is no main.cpp there is no program.
function(muster_program name folder)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "LIBRARIES;PRECOMPILE")
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp")
  set(main "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/main.cpp")
  list(REMOVE_ITEM sources "${main}")
  muster_library(muster_app_${folder} SOURCES ${sources} PUBLIC ${arg_LIBRARIES} PRECOMPILE ${arg_PRECOMPILE})
  if(EXISTS "${main}")
    add_executable(${name} "${main}")
    target_link_libraries(${name} PRIVATE muster_app_${folder} muster_version)
  endif()
endfunction()

# muster_protobuf(NAME file.proto ...)
# Generates code for schemas given relative to the source tree. Included as "folder/file.pb.h". Foreign as far as
# warnings are concerned: the folder is a system folder for whoever uses it, and our flags do not reach the sources.
function(muster_protobuf name)
  set(out "${PROJECT_BINARY_DIR}/generated/${name}")
  set(generated)
  foreach(schema IN LISTS ARGN)
    string(REGEX REPLACE "\\.proto$" "" stem "${schema}")
    set(files "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h")
    cmake_path(GET stem PARENT_PATH folder)
    file(MAKE_DIRECTORY "${out}/${folder}")
    add_custom_command(
      OUTPUT ${files}
      COMMAND protobuf::protoc "--cpp_out=${out}" -I "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/${schema}"
      DEPENDS "${PROJECT_SOURCE_DIR}/${schema}"
      COMMENT "Generating ${schema}"
      VERBATIM)
    list(APPEND generated ${files})
  endforeach()
  if(NOT generated)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE protobuf::libprotobuf)
    return()
  endif()
  add_library(${name} STATIC ${generated})
  target_include_directories(${name} SYSTEM PUBLIC "${out}")
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf)
endfunction()
