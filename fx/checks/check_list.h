// A list of things that were looked at, each with what was found: what fx doctor and
// fx collaborator ping show.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace fx {

enum class Finding { kGood, kWarning, kBad };

struct Check {
  std::string name;  // "TLS", "data of site1"
  Finding finding = Finding::kGood;
  std::string found;  // one or more lines
  std::string fix;    // what helps, if it is not good
};

class CheckList {
 public:
  void Good(std::string name, std::string found);
  void Warn(std::string name, std::string found, std::string fix);
  // The first one decides what Verdict is.
  void Bad(std::string name, const Error& error);

  const std::vector<Check>& checks() const { return checks_; }

  // A line a check, its fix below it.
  std::string Text() const;
  // An array of {"check", "finding", "found", "fix"}.
  std::string Json() const;

  // Ok unless a check is bad; then how many, with the code of the first that was.
  Status Verdict() const;

 private:
  std::vector<Check> checks_;
  std::optional<Error> first_;
};

}  // namespace fx
