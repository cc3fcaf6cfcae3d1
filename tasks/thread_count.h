// How many threads a network is worth.
#pragma once

#include <cstdint>

#include "plan/network_spec.h"

namespace fx {

// Of one sample on its way forward: those of convolutions, dense and recurrent layers. The way back
// takes about twice as many more. Shapes are inferred.
std::int64_t MultiplyAdds(const NetworkSpec& network);

// For batches of `batch` samples, of the plan's size, where `cores` are free: one for each 8
// million multiply-adds of a batch on its way forward, where each weight counts as five for the
// optimizer's sake; at least one and at most `cores`. With less to do, threads wait for each other
// longer than they work: an MLP of 200,000 weights with batches of 32 is as fast on one core as on
// two. Depends on nothing else, since sums depend on the number.
int WorthThreads(const NetworkSpec& network, std::int64_t batch, int cores);

}  // namespace fx
