// Models and updates whose bytes follow from everything that real ones follow from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "collaborator/session.h"
#include "core/base/names.h"

namespace fx::sim {

inline constexpr std::size_t kModelBytes = 80;  // of every model and update

std::string InitialModel();
// What a task makes of the parameters it starts from and the optimizer's state, empty if there is
// none.
std::string Train(const CollaboratorName& who, const collaborator::RunTask& run,
                  std::string_view parameters, std::string_view optimizer);
std::string OptimizerAfter(std::string_view trained);
double Judge(const CollaboratorName& who, std::string_view parameters);
std::int64_t SamplesOf(const CollaboratorName& who);

struct Weighted {
  std::int64_t num_samples;
  std::string_view update;
};
// Depends on the order, so that it shows.
std::string Aggregate(std::string_view base, std::span<const Weighted> updates);

ModelId ModelIdOf(std::string_view bytes);
UpdateId UpdateIdOf(std::string_view bytes);

}  // namespace fx::sim
