# cmake -DPROGRAM=... -DNAME=... -DOUTPUT=... -DPROPERTIES=... -P list_test_cases.cmake
# Writes one add_test per case of a doctest program. Our own because test names are sentences: the script that comes
# with doctest breaks at a semicolon or a bracket in them.
execute_process(
  COMMAND "${PROGRAM}" --list-test-cases --no-colors
  OUTPUT_VARIABLE output
  RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} cannot list its test cases (${result}):\n${output}")
endif()

# Characters that mean something to CMake's lists are taken out of the way while the lines are split.
string(REPLACE ";" "<semicolon>" output "${output}")
string(REPLACE "[" "<bracket>" output "${output}")
string(REPLACE "]" "<tekcarb>" output "${output}")
string(REPLACE "\n" ";" lines "${output}")

set(script "")
set(titles "")
foreach(line IN LISTS lines)
  if(line STREQUAL "" OR line MATCHES "^(=+$|<bracket>doctest<tekcarb>)")
    continue()
  endif()
  string(REPLACE "<semicolon>" ";" title "${line}")
  string(REPLACE "<bracket>" "[" title "${title}")
  string(REPLACE "<tekcarb>" "]" title "${title}")
  # doctest's filter: a comma separates patterns and a backslash escapes, so such characters become wildcards.
  string(REGEX REPLACE "[],;\\\"[]" "?" pattern "${title}")
  list(FIND titles "${pattern}" seen)
  if(NOT seen EQUAL -1)
    message(FATAL_ERROR "${NAME} has two test cases called '${title}'")
  endif()
  list(APPEND titles "${pattern}")
  string(APPEND script "add_test([==[${NAME}: ${title}]==] [==[${PROGRAM}]==] [==[--test-case=${pattern}]==])\n")
  string(APPEND script "set_tests_properties([==[${NAME}: ${title}]==] PROPERTIES")
  foreach(word IN LISTS PROPERTIES)
    string(APPEND script " [==[${word}]==]")
  endforeach()
  string(APPEND script ")\n")
endforeach()
file(WRITE "${OUTPUT}" "${script}")
