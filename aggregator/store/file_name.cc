#include "aggregator/store/file_name.h"

#include <cstddef>

#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/format.h"

namespace fx::aggregator {
namespace {

// Three such parts, a round and the separators stay below the 255 bytes a file system allows.
constexpr std::size_t kLongest = 72;
constexpr std::size_t kKept = 38;  // of a longer name; then %% (in no escaped name) and 32 digits

bool IsPlain(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || (c == '.' && !first);
}

}  // namespace

std::string EscapeFileName(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    if (IsPlain(c, escaped.empty())) {
      escaped += c;
    } else {
      escaped += format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  if (escaped.size() <= kLongest) return escaped;
  return escaped.substr(0, kKept) + "%%" + Sha256Hex(AsBytes(name)).substr(0, 32);
}

}  // namespace fx::aggregator
