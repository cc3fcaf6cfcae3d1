// The time zone a site's hours are meant in: that of the environment's TZ, or of the machine.
#pragma once

#include <optional>
#include <string>

#include "fx/collaborator/site.h"

namespace fx {

struct ZoneTrouble {
  std::string what;
  std::string advice;
};

// None if the C library can use what TZ says (tzset(3)): nothing, a rule such as
// "CET-1CEST,M3.5.0,M10.5.0/3", or the name of a zone that is there, below TZDIR or
// /usr/share/zoneinfo. Otherwise it takes UTC without a word, or of a rule what it understands, and
// these are the words.
std::optional<ZoneTrouble> TroubleWithZone(const Environment& environment);
// Of this process's environment.
std::optional<ZoneTrouble> TroubleWithZone();

}  // namespace fx
