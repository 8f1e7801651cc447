# ccache and mold when they are there; neither is required.
find_program(SCHAKEL_CCACHE ccache)
if(SCHAKEL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without this ccache leaves everything that uses a precompiled header alone.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${SCHAKEL_CCACHE})
endif()
find_program(SCHAKEL_MOLD mold)
if(SCHAKEL_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_package(Threads REQUIRED)
# Everywhere, since a precompiled header serves only targets that were compiled alike.
add_compile_options(-pthread)

add_library(schakel_warnings INTERFACE)
target_compile_options(schakel_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
# g++ 12 raises these falsely: in inlined std::string and std::optional, in instrumented code, and behind
# precompiled headers, where it forgets that the string's code is the library's.
target_compile_options(schakel_warnings INTERFACE -Wno-restrict -Wno-maybe-uninitialized
  -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)

set(SCHAKEL_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize wants them: address,undefined or thread")
set(SCHAKEL_TIMEOUT_FACTOR 1)
# Seconds that a test of ctest may take in this build.
function(schakel_timeout seconds into)
  math(EXPR scaled "${seconds} * ${SCHAKEL_TIMEOUT_FACTOR}")
  set(${into} ${scaled} PARENT_SCOPE)
endfunction()
if(SCHAKEL_SANITIZE)
  add_compile_options(-fsanitize=${SCHAKEL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SCHAKEL_SANITIZE})
  set(SCHAKEL_TIMEOUT_FACTOR 6)  # instrumented code takes its time
endif()
if(SCHAKEL_SANITIZE STREQUAL "thread")
  # In front of every program's objects, so that it comes before absl and gRPC in the search order.
  add_library(schakel_grpc_order SHARED ${CMAKE_SOURCE_DIR}/tests/sanitizers/grpc_order.cc)
  target_link_libraries(schakel_grpc_order PRIVATE gRPC::grpc++ ${CMAKE_DL_LIBS})
  link_libraries(schakel_grpc_order)
  add_link_options($<TARGET_FILE:schakel_grpc_order>)
endif()
