// Commands of OpenFL that have no meaning here: whoever types one is told so, and what does the
// job instead.
#pragma once

#include <optional>
#include <string_view>

#include "core/base/error.h"

namespace fx {

// The answer to `fx <noun> <verb>`; nothing if these are no words of OpenFL's, or words that mean
// something here.
std::optional<Error> NotHere(std::string_view noun, std::string_view verb);

}  // namespace fx
