// The frame around every verb: finds it, parses its options, runs it, and reports. The one place
// where errors print, exit codes are decided, and CLI11 is known.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "core/base/error.h"
#include "fx/command.h"
#include "fx/io.h"

namespace fx {

// What a process that ran fx ends with; docs/reference/exit-codes.md is the page about them.
enum class ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,          // the command line itself is wrong; nothing was done
  kCancelled = 3,      // a person or a signal stopped it
  kNotAuthorised = 4,  // certificate, name or permission refused
  kUnavailable = 5,    // a peer cannot be reached; trying again may help
};

ExitCode ExitCodeOf(const Error& error);

// Runs `fx arguments...`; the program's own name is not among the arguments. After a success the
// last line on io.out is " ✔️ OK"; after a failure that on io.err, below the error, is
// " ❌ :(". Help and --version print to io.out and end with kDone.
ExitCode RunApp(std::span<const std::string> arguments,
                std::span<const std::unique_ptr<Command>> commands, Io& io);

}  // namespace fx
