#include "fx/host_name.h"

#include <unistd.h>

#include <array>
#include <cstdlib>

namespace fx {

std::string DefaultFqdn() {
  const char* fqdn = std::getenv("FQDN");
  if (fqdn != nullptr && *fqdn != '\0') return fqdn;
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name.front() == '\0') return "localhost";
  return name.data();
}

std::string NameOrDefault(const std::string& given) {
  return given.empty() ? DefaultFqdn() : given;
}

}  // namespace fx
