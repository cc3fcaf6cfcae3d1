// Which tensors of a model are not weights but what an optimizer keeps between its steps.
#pragma once

#include <string_view>

namespace fx {

// Before the name of such a tensor. They are averages of what the sites sent, and no changes to
// what there was before: momenta and squares differ from round to round by orders of magnitude, and
// as a difference to a large one a small one would be lost.
inline constexpr std::string_view kOptimizerStatePrefix = "__opt_state_";

}  // namespace fx
