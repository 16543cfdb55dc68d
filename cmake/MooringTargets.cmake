# How every target of the tree is built. A library sees only its own headers and those of the libraries that it
# names in DEPENDS: each folder of lib/ is exposed by an include directory of its own, so that an include that the
# architecture forbids does not compile.
include_guard()

add_library(mooring_options INTERFACE)
target_compile_options(mooring_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast
  -Wcast-qual -Wformat=2 -Wimplicit-fallthrough -Wundef -fstack-protector-strong
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms of the optimiser: std::string operator+ (GCC bug 105651), moved-from optionals (GCC bug 80635).
  target_compile_options(mooring_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
target_compile_definitions(mooring_options INTERFACE BOOST_ALLOW_DEPRECATED_HEADERS MOORING_VERSION="${PROJECT_VERSION}")
if(MOORING_SANITIZE)
  target_compile_options(mooring_options INTERFACE -fsanitize=${MOORING_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(mooring_options INTERFACE -fsanitize=${MOORING_SANITIZE})
  if(MOORING_SANITIZE STREQUAL "thread")
    # ThreadSanitizer does not know fences, and GCC says so (-Wtsan). The loop is of one thread and needs none.
    target_compile_definitions(mooring_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_definitions(mooring_options INTERFACE _FORTIFY_SOURCE=2)
endif()
# For the sources of tests, which are two thirds of all that is compiled, and are not what is tested: a library's
# own sources, mooringd and the simulator have the sanitizer whole. It halves the compiler's time.
add_library(mooring_test_options INTERFACE)
target_link_libraries(mooring_test_options INTERFACE mooring_options)
if(MOORING_SANITIZE MATCHES "undefined")
  target_compile_options(mooring_test_options INTERFACE -O0 -fno-sanitize=undefined)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# mooring_library(NAME [SOURCE_DIR dir] [EXCLUDE regex] DEPENDS lib... LINK target...)
# Makes the library mooring_NAME from all sources in the current folder.
function(mooring_library name)
  cmake_parse_arguments(arg "" "EXPOSE" "DEPENDS;LINK;LINK_PRIVATE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(expose ${name})
  if(arg_EXPOSE)
    set(expose ${arg_EXPOSE})
  endif()
  set(include_dir ${PROJECT_BINARY_DIR}/include/${name})
  get_filename_component(parent ${include_dir}/${expose} DIRECTORY)
  file(MAKE_DIRECTORY ${parent})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${include_dir}/${expose} SYMBOLIC)
  if(sources)
    add_library(mooring_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(mooring_${name} PRIVATE mooring_options ${arg_LINK_PRIVATE})
  else()
    add_library(mooring_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(mooring_${name} ${scope} ${include_dir})
  list(TRANSFORM arg_DEPENDS PREPEND mooring_)
  target_link_libraries(mooring_${name} ${scope} ${arg_DEPENDS} ${arg_LINK})
endfunction()

# mooring_test(NAME LABEL label DEPENDS lib... [LINK target...] [ROOT])
# One test binary from all sources in the current folder. ROOT: runs in a private mount namespace, needs root.
function(mooring_test name)
  cmake_parse_arguments(arg "ROOT" "LABEL;TIMEOUT" "DEPENDS;LINK;SOURCES" ${ARGN})
  if(NOT arg_SOURCES)
    file(GLOB arg_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  endif()
  if(NOT arg_SOURCES)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_executable(${name} ${arg_SOURCES})
  list(TRANSFORM arg_DEPENDS PREPEND mooring_)
  target_link_libraries(${name} PRIVATE mooring_test_options ${arg_DEPENDS} ${arg_LINK} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABEL}" TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()
