// Which names a collaborator or a task may have.
#pragma once

#include <string>
#include <string_view>

namespace fx {

// What is wrong with the name, as the end of a sentence ("has a space, expected ..."); empty if
// nothing is. Names become parts of file names, certificates and tensor keys: 1 to 64 lower-case
// letters, digits, '.', '-', '_', starting with a letter or digit, no "..", and none of the words
// that OpenFL tags tensors with (model, metric, trained, ...), nor "aggregator".
std::string CollaboratorNameProblem(std::string_view name);

// Likewise for tasks, where capital letters may be used.
std::string TaskNameProblem(std::string_view name);

// For layers: letters, digits, '-' and '_', starting with a letter.
std::string LayerNameProblem(std::string_view name);

}  // namespace fx
