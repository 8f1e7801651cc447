# Compiles a target's files eight at a time: they read the same headers and instantiate the same templates,
# which is most of a compilation. The presets dev and tidy do without, so every file stands on its own.
option(SCHAKEL_UNITY "Compile several files of a target together" OFF)
function(schakel_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${SCHAKEL_UNITY} UNITY_BUILD_BATCH_SIZE 8)
endfunction()

# schakel_library(name SOURCES a.cc ... [DEPENDS schakel::x ...] [PRIVATE lib ...]
#                 [PRECOMPILED messages|grpc] [UNITY])
# A module as a static library schakel_<name> with alias schakel::<name>; includes are written from the
# top of the repository. PRECOMPILED names the headers it starts with (cmake/Precompiled.cmake); UNITY is
# for a module of many files with costly headers.
function(schakel_library name)
  cmake_parse_arguments(ARG "UNITY" "PRECOMPILED" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  add_library(schakel_${name} STATIC ${ARG_SOURCES})
  add_library(schakel::${name} ALIAS schakel_${name})
  target_include_directories(schakel_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(schakel_${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE} schakel_warnings)
  if(ARG_PRECOMPILED)
    schakel_precompiled(schakel_${name} ${ARG_PRECOMPILED})
  endif()
  if(ARG_UNITY)
    schakel_unity(schakel_${name})
  endif()
endfunction()

# schakel_program(name SOURCES a.cc ... DEPENDS schakel::x ... [PRECOMPILED messages|grpc]): an executable
# in <build>/bin.
function(schakel_program name)
  cmake_parse_arguments(ARG "" "PRECOMPILED" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} schakel_warnings)
  if(ARG_PRECOMPILED)
    schakel_precompiled(${name} ${ARG_PRECOMPILED})
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# schakel_test(name SOURCES a.cc ... DEPENDS schakel::x ... [LABELS fast|slow ...] [TIMEOUT s]
#              [ENVIRONMENT K=V ...] [PROGRAMS target ...] [TOGETHER])
# A GoogleTest binary; every TEST in it is a test of ctest, or with TOGETHER the whole binary is one
# (its tests share what takes long to start). Default label: fast.
# PROGRAMS are built first (servers that an end-to-end test starts).
function(schakel_test name)
  cmake_parse_arguments(ARG "TOGETHER" "TIMEOUT" "SOURCES;DEPENDS;LABELS;ENVIRONMENT;PROGRAMS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS fast)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  schakel_timeout(${ARG_TIMEOUT} ARG_TIMEOUT)
  add_executable(${name} ${ARG_SOURCES})
  # The tests' own code is not worth optimising: it is compiled once and runs for milliseconds.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O0>)
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} schakel::test_paths GTest::gtest GTest::gmock
    GTest::gtest_main schakel_warnings)
  schakel_precompiled(${name} test)
  schakel_unity(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(ARG_PROGRAMS)
    add_dependencies(${name} ${ARG_PROGRAMS})
  endif()
  set(properties LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
  if(ARG_ENVIRONMENT)
    list(APPEND properties ENVIRONMENT "${ARG_ENVIRONMENT}")
  endif()
  if(ARG_TOGETHER)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES ${properties})
    return()
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 DISCOVERY_MODE PRE_TEST PROPERTIES ${properties})
endfunction()
