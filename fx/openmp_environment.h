// How threads of OpenMP wait for each other while fx trains: they look for each other for less than
// a tenth of a millisecond, and sleep then. To wake who sleeps at once takes longer than most
// layers of a small network do, and who never sleeps takes a core from whoever shares it
// (docs/adr/0025).
#pragma once

#include <array>
#include <cstdlib>
#include <utility>

namespace fx {

// libgomp reads them when it is loaded.
inline constexpr std::array<std::pair<const char*, const char*>, 2> kOpenMpEnvironment = {
    {{"OMP_WAIT_POLICY", "passive"}, {"GOMP_SPINCOUNT", "2000"}}};

// For a program that then starts itself once more; false if one is set already: somebody has
// chosen, or this was done. Before there is a second thread.
inline bool SetOpenMpEnvironment() {
  for (const auto& [name, value] : kOpenMpEnvironment) {
    if (std::getenv(name) != nullptr) return false;
  }
  bool set = true;
  for (const auto& [name, value] : kOpenMpEnvironment) set &= setenv(name, value, 1) == 0;
  return set;
}

}  // namespace fx
