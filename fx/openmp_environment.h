// How threads of OpenMP wait for each other while fx trains: they look for some ten microseconds,
// 90 with a slow pause instruction, and sleep then. Who sleeps at once is woken later than most
// layers of a small network take, and who never sleeps slows down tenfold whoever shares the cores.
#pragma once

#include <array>
#include <cstdlib>
#include <utility>

namespace fx {

// libgomp reads them when it is loaded.
inline constexpr std::array<std::pair<const char*, const char*>, 2> kOpenMpEnvironment = {
    {{"OMP_WAIT_POLICY", "passive"}, {"GOMP_SPINCOUNT", "2000"}}};

// Sets those that are not set, for a program that then starts itself once more; false if all were.
// Before there is a second thread.
inline bool SetOpenMpEnvironment() {
  bool changed = false;
  for (const auto& [name, value] : kOpenMpEnvironment) {
    changed |= std::getenv(name) == nullptr && setenv(name, value, 1) == 0;
  }
  return changed;
}

}  // namespace fx
