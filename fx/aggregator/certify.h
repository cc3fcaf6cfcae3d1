// fx aggregator certify: signs the aggregator's certificate request.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeAggregatorCertify();

}  // namespace fx
