// Parts of a stock OpenFL plan that are classes of its user's own, in Python. An aggregator needs
// none of them: it aggregates what sites send, whoever trained it. A site of ours cannot run them.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "plan/plan.h"

namespace fx {

// The part that `section` has in a class of this path; `instead` is chosen by the words in it.
PythonPart PythonPartOf(std::string_view section, const std::string& class_path);

// Refuses, with kUnimplemented, a plan that has such parts: each with what does its job here.
Status CheckNative(const Plan& plan);

}  // namespace fx
