// The terminal as a value: where a command reads and writes, so that tests can stand in for it.
#pragma once

#include <istream>
#include <ostream>

namespace fx {

// Data goes to `out`, words for people to `err`. All three outlive the command.
struct Io {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool in_is_tty = false;
  bool err_is_tty = false;
};

// The terminal, or whatever the process was started with.
Io StandardIo();

}  // namespace fx
