# Precompiled headers, one set a kind of file, each compiled once and shared by all targets of its kind:
# reading headers is more than half of a compilation here.
option(SCHAKEL_PRECOMPILED "Precompile the headers that most files include" ON)

function(schakel_precompiled_set name)
  if(NOT SCHAKEL_PRECOMPILED)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "DEPENDS;OPTIONS" ${ARGN})
  set(empty ${CMAKE_BINARY_DIR}/gen/precompiled_${name}.cc)
  file(CONFIGURE OUTPUT ${empty} CONTENT "" @ONLY)
  add_library(schakel_precompiled_${name} OBJECT ${empty})
  target_compile_options(schakel_precompiled_${name} PRIVATE ${ARG_OPTIONS})
  target_link_libraries(schakel_precompiled_${name} PRIVATE ${ARG_DEPENDS} schakel_warnings)
  target_precompile_headers(schakel_precompiled_${name} PRIVATE
    ${CMAKE_SOURCE_DIR}/cmake/precompiled/${name}.h)
  if(SCHAKEL_CCACHE)
    target_compile_options(schakel_precompiled_${name} PRIVATE -fpch-preprocess)
    set_target_properties(schakel_precompiled_${name} PROPERTIES
      CXX_COMPILER_LAUNCHER "${CMAKE_SOURCE_DIR}/cmake/precompile;${CMAKE_CXX_COMPILER_LAUNCHER}")
  endif()
endfunction()

# schakel_precompiled(target messages|grpc|test)
function(schakel_precompiled target set)
  if(NOT SCHAKEL_PRECOMPILED)
    return()
  endif()
  target_precompile_headers(${target} REUSE_FROM schakel_precompiled_${set})
  if(SCHAKEL_CCACHE)
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
endfunction()
