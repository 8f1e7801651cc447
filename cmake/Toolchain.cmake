# ccache and mold when they are there; neither is required.
find_program(SCHAKEL_CCACHE ccache)
if(SCHAKEL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SCHAKEL_CCACHE})
endif()
find_program(SCHAKEL_MOLD mold)
if(SCHAKEL_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_package(Threads REQUIRED)

add_library(schakel_warnings INTERFACE)
target_compile_options(schakel_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
# g++ 12 raises these two falsely, in inlined std::string and std::optional and in instrumented code.
target_compile_options(schakel_warnings INTERFACE -Wno-restrict -Wno-maybe-uninitialized)

set(SCHAKEL_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize wants them: address,undefined or thread")
if(SCHAKEL_SANITIZE)
  add_compile_options(-fsanitize=${SCHAKEL_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SCHAKEL_SANITIZE})
endif()
