#include "plan/complaints.h"

#include <algorithm>
#include <utility>

#include "core/base/format.h"

namespace fx {

void Complaints::Add(const YamlValue& at, std::string text) {
  Add(at.file ? *at.file : std::string(), at.line, std::move(text));
}

void Complaints::Add(const std::string& file, int line, std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, ' ');
  if (text.size() > kLongestComplaint) {
    std::size_t end = kLongestComplaint;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
    text.replace(end, std::string::npos, "...");
  }
  complaints_.push_back({file, line, std::move(text)});
}

void Complaints::Assume(std::string key, std::string value) {
  assumptions_.push_back({.key = std::move(key), .value = std::move(value)});
}

Status Complaints::ToStatus() const {
  if (empty()) return Ok();
  std::vector<Complaint> sorted = complaints_;
  std::ranges::sort(sorted);
  const auto repeated = std::ranges::unique(sorted);
  sorted.erase(repeated.begin(), repeated.end());
  // The indent puts each line under the first in Error::Render's "  because: ".
  constexpr std::string_view kNextLine = "\n           ";
  const std::size_t told = std::min(sorted.size(), kMostComplaints);
  std::string message;
  for (std::size_t i = 0; i < told; ++i) {
    if (i > 0) message += kNextLine;
    message += format("{}:{}: {}", sorted[i].file, sorted[i].line, sorted[i].text);
  }
  if (told < sorted.size()) message += format("{}and {} more", kNextLine, sorted.size() - told);
  return Fail(ErrorCode::kInvalidArgument, std::move(message));
}

}  // namespace fx
