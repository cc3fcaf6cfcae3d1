// The name of this machine, as the default of every --fqdn and -a.
#pragma once

#include <string>

namespace fx {

// The environment variable FQDN if set, else the host name; "localhost" if it has none.
std::string DefaultFqdn();

}  // namespace fx
