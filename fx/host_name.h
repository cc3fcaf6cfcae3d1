// The name of this machine, which stands in for every --fqdn and -a that is not given.
#pragma once

#include <string>

namespace fx {

// The environment variable FQDN if set, else the host name; "localhost" if it has none.
std::string DefaultFqdn();

// What was given, or that. Not the default of an option: manuals that show one would differ from
// machine to machine.
std::string NameOrDefault(const std::string& given);

}  // namespace fx
