// The headers of GoogleTest, compiled once for all tests; see fx_test in cmake/fx_library.cmake.
