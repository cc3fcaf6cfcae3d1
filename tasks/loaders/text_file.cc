#include "tasks/loaders/text_file.h"

#include <algorithm>
#include <string_view>

#include "core/base/format.h"

namespace fx {

Result<std::string> ReadText(const Path& path, std::uint64_t limit) {
  std::string text = TRY(ReadFile(path, limit));
  const std::size_t at = text.find('\0');
  if (at == std::string::npos) return text;
  const auto line = std::ranges::count(std::string_view(text).substr(0, at), '\n') + 1;
  return Fail(ErrorCode::kInvalidArgument,
              format("{}:{}: holds a NUL byte: this is not text", path.string(), line));
}

}  // namespace fx
