#include "plan/complaints.h"

#include <algorithm>

#include "core/base/format.h"

namespace fx {

void Complaints::Add(const YamlValue& at, std::string text) {
  Add(at.file ? *at.file : std::string(), at.line, std::move(text));
}

void Complaints::Add(const std::string& file, int line, std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c >= 0 && c < ' '; }, ' ');
  complaints_.push_back({file, line, std::move(text)});
}

Status Complaints::ToStatus() const {
  if (empty()) return Ok();
  std::vector<Complaint> sorted = complaints_;
  std::ranges::sort(sorted);
  const auto repeated = std::ranges::unique(sorted);
  sorted.erase(repeated.begin(), repeated.end());
  std::string message;
  for (const Complaint& c : sorted) {
    // The indent puts each line under the first in Error::Render's "  because: ".
    if (!message.empty()) message += "\n           ";
    message += format("{}:{}: {}", c.file, c.line, c.text);
  }
  return Fail(ErrorCode::kInvalidArgument, std::move(message));
}

}  // namespace fx
