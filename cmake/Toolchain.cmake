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
if(SCHAKEL_SANITIZE)
  add_compile_options(-fsanitize=${SCHAKEL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SCHAKEL_SANITIZE})
  set(SCHAKEL_TIMEOUT_FACTOR 6)  # instrumented code takes its time
endif()
