# Every third-party library the project may use, found once. Which folder may use which is checked
# by tests/tidy.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(tl-expected REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(LibArchive REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OneDNN REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
find_library(XXHASH_LIBRARY xxhash REQUIRED)

# Neither comes with a CMake package.
find_path(NIFTI_INCLUDE_DIR nifti2_io.h PATH_SUFFIXES nifti REQUIRED)
find_library(NIFTI_LIBRARY nifti2 REQUIRED)
find_library(ZNZ_LIBRARY znz REQUIRED)
find_path(STB_INCLUDE_DIR stb/stb_image.h REQUIRED)
find_library(STB_LIBRARY stb REQUIRED)
add_library(fx_nifti INTERFACE)
add_library(fx::nifti ALIAS fx_nifti)
target_include_directories(fx_nifti SYSTEM INTERFACE ${NIFTI_INCLUDE_DIR})
target_link_libraries(fx_nifti INTERFACE ${NIFTI_LIBRARY} ${ZNZ_LIBRARY})
add_library(fx_stb INTERFACE)
add_library(fx::stb ALIAS fx_stb)
target_include_directories(fx_stb SYSTEM INTERFACE ${STB_INCLUDE_DIR})
target_link_libraries(fx_stb INTERFACE ${STB_LIBRARY})

# libarchive, as a part of fx where its static library is there: the shared one brings libxml2, and
# that the tables of ICU, for archives of a kind nobody here uses (xar). They would be 14 of the 40
# MB of a container image. Its static library knows xar as well, until someone else has defined
# the function that begins it.
find_library(ARCHIVE_STATIC_LIBRARY libarchive.a)
find_library(BZIP2_LIBRARY bz2)
find_library(LZMA_LIBRARY lzma)
find_library(NETTLE_LIBRARY nettle)
find_library(ZSTD_LIBRARY zstd)
if(ARCHIVE_STATIC_LIBRARY AND BZIP2_LIBRARY AND LZMA_LIBRARY AND NETTLE_LIBRARY
    AND ZSTD_LIBRARY)
  set(no_xar ${CMAKE_BINARY_DIR}/generated/no_xar.cc)
  file(CONFIGURE OUTPUT ${no_xar} CONTENT
    "extern \"C\" int archive_write_set_format_xar(void*) { return -30; }  // ARCHIVE_FATAL\n")
  add_library(fx_libarchive STATIC ${no_xar})
  target_link_options(fx_libarchive INTERFACE "LINKER:--undefined=archive_write_set_format_xar")
  target_include_directories(fx_libarchive SYSTEM INTERFACE ${LibArchive_INCLUDE_DIRS})
  target_link_libraries(fx_libarchive INTERFACE ${ARCHIVE_STATIC_LIBRARY}
    ${BZIP2_LIBRARY} ${LZMA_LIBRARY} ${NETTLE_LIBRARY} ${ZSTD_LIBRARY} ZLIB::ZLIB)
  target_compile_definitions(fx_libarchive INTERFACE FX_STATIC_LIBARCHIVE)
else()
  message(STATUS "No static libarchive: images of fx will be larger")
  add_library(fx_libarchive INTERFACE)
  target_link_libraries(fx_libarchive INTERFACE LibArchive::LibArchive)
endif()
add_library(fx::libarchive ALIAS fx_libarchive)
