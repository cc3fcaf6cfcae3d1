# The warnings every line of ours is compiled with; each is an error.
add_library(fx_warnings INTERFACE)
target_compile_options(fx_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Werror
  # g++ 12 sees overlapping copies in "text" + std::move(string) where there are none (GCC 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

# FX_SANITIZE=address,undefined or thread instruments everything of ours.
set(FX_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, comma separated; empty for none")
if(FX_SANITIZE)
  add_compile_options(-fsanitize=${FX_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FX_SANITIZE})
  # Instrumented and optimised, g++ 12 warns of overflows in libstdc++ that are none.
  target_compile_options(fx_warnings INTERFACE -Wno-error)
endif()
