# Runs TEST, and fails unless it takes every branch of the source file that OBJECT was made of with --coverage.
# cmake -DTEST=... -DOBJECT=.../format_guard.cpp.o -DGCOV=... -DBUILD=directory -P check_coverage.cmake
# BUILD: where the compiler ran, as gcov looks for the source from there.

get_filename_component(source ${OBJECT} NAME_WLE)
string(REGEX REPLACE "\\.o$" "" stem ${OBJECT})
set(report ${stem}.gcov)
file(REMOVE ${stem}.gcda)

execute_process(COMMAND ${TEST} --gtest_brief=1 RESULT_VARIABLE result)
if(result)
  message(FATAL_ERROR "the test failed")
endif()
execute_process(COMMAND ${GCOV} --branch-probabilities --branch-counts --stdout ${stem}.gcno
                WORKING_DIRECTORY ${BUILD} OUTPUT_FILE ${report} RESULT_VARIABLE result)
if(result)
  message(FATAL_ERROR "${GCOV} failed")
endif()

# The report has a part for each header too; each begins with the name of its file.
file(STRINGS ${report} lines REGEX "^ *-: +0:Source:|^branch |^ *#####:")
set(is_of_source FALSE)
set(count 0)
set(missed 0)
foreach(line IN LISTS lines)
  if(line MATCHES "0:Source:")
    string(REGEX MATCH "/${source}$" is_of_source "${line}")
  elseif(is_of_source)
    math(EXPR count "${count} + 1")
    if(line MATCHES "#####:|never executed|taken 0")
      math(EXPR missed "${missed} + 1")
    endif()
  endif()
endforeach()
if(count LESS 50)
  message(FATAL_ERROR "only ${count} branches of ${source} were counted: something is wrong with the counting")
endif()
if(missed)
  message(FATAL_ERROR "no test takes ${missed} of the ${count} branches of ${source}: see ${report}")
endif()
message(STATUS "every one of the ${count} branches of ${source} is taken")
