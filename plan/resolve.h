// Makes a plan say where its aggregator is: `fx plan initialize`.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

// The text of the plan with network.settings.agg_addr and agg_port concrete, otherwise unchanged.
//
// A `fqdn` that is not empty becomes the address, whatever was there; an empty one is refused if
// the address is still "auto". A port that is a number stays; "auto" becomes AutomaticPort of the
// plan as it is once the address is in it, as OpenFL does. So doing this twice is doing it once.
//
// OpenFL's federation_uuid is the hash of the plan before "auto" is replaced; once the file is
// concrete there is nothing to replace, and all parties that share the file agree.
Result<std::string> ResolvePlan(std::string_view text, const Path& plan_file,
                                const std::string& fqdn);

}  // namespace fx
