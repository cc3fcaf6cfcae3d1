// What a verb of the command line is: a noun, a verb, its options, and what it does. One .h/.cc
// pair a verb, in the folder of its noun; fx/app.cc lists them and is the only file that knows
// CLI11.
//
//   class CertifyCommand : public Command { ... };
//   std::unique_ptr<Command> MakeAggregatorCertify();
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "fx/io.h"

namespace fx {

// Declares options; the variables must outlive the parse. `names` is as CLI11 spells it:
// "-n,--fqdn", or "KEY" for one that is given by its place. The value a variable has when declared
// is its default and shown in the help.
class Flags {
 public:
  virtual ~Flags() = default;
  virtual void Text(const std::string& names, std::string* value, const std::string& help) = 0;
  virtual void RequiredText(const std::string& names, std::string* value,
                            const std::string& help) = 0;
  // A file of the workspace, which is the current folder. A path that leads out of it is refused
  // before Run.
  virtual void WorkspaceFile(const std::string& names, std::string* value,
                             const std::string& help) = 0;
  virtual void Switch(const std::string& names, bool* value, const std::string& help) = 0;
  virtual void Number(const std::string& names, std::int64_t* value, const std::string& help) = 0;
};

// One verb. Declare only parses, Run only acts. A command object serves one invocation.
class Command {
 public:
  virtual ~Command() = default;
  virtual std::string_view noun() const = 0;     // "aggregator"
  virtual std::string_view verb() const = 0;     // "certify"; "" if the noun says it all
  virtual std::string_view summary() const = 0;  // one line, for the map of commands
  virtual std::string_view example() const = 0;  // one use, as typed
  virtual void Declare(Flags& flags) = 0;
  // On success the caller prints the closing "✔️ OK"; on failure the error, and exits as
  // fx/app.h says.
  virtual Status Run(Io& io) = 0;
  // What was printed is for a program: no words are to follow it. Asked after Run.
  virtual bool for_programs() const { return false; }
};

}  // namespace fx
