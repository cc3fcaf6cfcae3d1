#include "fx/io.h"

#include <unistd.h>

#include <iostream>

namespace fx {

Io StandardIo() {
  return Io{.in = std::cin,
            .out = std::cout,
            .err = std::cerr,
            .in_is_tty = isatty(STDIN_FILENO) == 1,
            .err_is_tty = isatty(STDERR_FILENO) == 1};
}

}  // namespace fx
