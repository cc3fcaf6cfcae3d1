// Changes one value of a YAML text and nothing else: comments, order, quoting and blank lines of
// everything around it stay byte for byte.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace fx {

// `path` names a key through mappings, "network.settings.agg_port". `scalar` is its new value as
// YAML (see CanonicalScalar for text). Keys that do not exist are added at the end of the deepest
// mapping that does.
//
// The result is read back before it is returned, and means the old text with that one value
// changed; if no such text can be made (the value is shared by an anchor, or written over several
// lines) the error says so.
Result<std::string> SetPlanValue(std::string_view yaml_text, std::string_view path,
                                 std::string_view scalar);

}  // namespace fx
