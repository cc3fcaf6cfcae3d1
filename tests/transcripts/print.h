// Records and actions as the lines of a transcript.
#pragma once

#include <string>

#include "aggregator/engine/action.h"
#include "aggregator/engine/record.h"

namespace fx::aggregator {

std::string Print(const Record& record);  // "= RoundOpened 0 model=m0 ann[train]"
std::string Print(const Action& action);  // "> ReplyWait #2"

}  // namespace fx::aggregator
