// fx aggregator generate-cert-request: the aggregator's key and certificate request.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeAggregatorGenerateCertRequest();

}  // namespace fx
