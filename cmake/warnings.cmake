# The warnings every line of ours is compiled with. Each is an error where they can be trusted:
# optimised or instrumented, g++ 12 warns of overflows and uninitialised values in libstdc++ that
# are none, and what a user builds does not fail because of a compiler that is newer than we are.
add_library(fx_warnings INTERFACE)
target_compile_options(fx_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  $<$<CONFIG:Debug>:-Werror>
  # g++ 12 sees overlapping copies in "text" + std::move(string) where there are none (GCC 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

# FX_SANITIZE=address,undefined or thread instruments everything of ours.
set(FX_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, comma separated; empty for none")
if(FX_SANITIZE)
  add_compile_options(-fsanitize=${FX_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FX_SANITIZE})
endif()
