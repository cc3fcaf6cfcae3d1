# fx_library(NAME SRCS a.cc ... [DEPS fx::x ...] [PRIVATE_DEPS lib ...])
#   One static library fx_<NAME>, alias fx::<NAME>. Include root is the repository root.
#   DEPS are what its headers need; PRIVATE_DEPS are the third-party doors of its .cc files.
function(fx_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(fx_${name} STATIC ${ARG_SRCS})
  add_library(fx::${name} ALIAS fx_${name})
  target_include_directories(fx_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(fx_${name} PUBLIC ${ARG_DEPS} PRIVATE fx_warnings ${ARG_PRIVATE_DEPS})
endfunction()

# What all tests must be compiled with alike, or the precompiled headers are not theirs.
function(fx_test_settings name)
  target_compile_definitions(${name} PRIVATE FX_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_compile_options(${name} PRIVATE -pthread)
endfunction()

# fx_test(NAME SRCS a_test.cc ... [DEPS fx::x ...] [LABELS unit] [TIMEOUT seconds])
#   One GoogleTest binary; every test of it is a CTest test of the given labels.
function(fx_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SRCS;DEPS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  add_executable(${name} ${ARG_SRCS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} fx_warnings GTest::gmock GTest::gtest_main)
  fx_test_settings(${name})
  target_precompile_headers(${name} REUSE_FROM fx_test_headers)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()
