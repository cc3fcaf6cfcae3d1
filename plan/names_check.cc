#include "plan/names_check.h"

#include <algorithm>
#include <array>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kDigits = "0123456789";

// OpenFL tells tensors apart by tags, and a collaborator's name is one of them.
constexpr std::array<std::string_view, 11> kTakenWords = {
    "aggregated",   "aggregator",       "compressed",
    "delta",        "metric",           "model",
    "trained",      "lossy_compressed", "lossy_decompressed",
    "validate_agg", "validate_local"};

bool OnlyOf(std::string_view name, std::string_view punctuation, bool capitals) {
  return std::ranges::all_of(name, [&](char c) {
    return kLower.find(c) != std::string_view::npos || kDigits.find(c) != std::string_view::npos ||
           punctuation.find(c) != std::string_view::npos ||
           (capitals && kUpper.find(c) != std::string_view::npos);
  });
}

std::string Problem(std::string_view name, bool capitals) {
  constexpr std::string_view kPunctuation = ".-_";
  if (name.empty()) return "is empty";
  if (name.size() > kLongestName) {
    return format("has {} characters, expected at most {}", name.size(), kLongestName);
  }
  if (!OnlyOf(name, kPunctuation, true)) {
    return "may only have letters, digits, '.', '-' and '_'";
  }
  if (!OnlyOf(name, kPunctuation, capitals)) {
    return "has capital letters, expected lower case as in its certificate";
  }
  if (kPunctuation.find(name.front()) != std::string_view::npos) {
    return "must start with a letter or a digit";
  }
  if (name.find("..") != std::string_view::npos) return "must not have two dots in a row";
  if (std::ranges::find(kTakenWords, name) != kTakenWords.end()) {
    return "is a word with a meaning of its own, choose another name";
  }
  return "";
}

}  // namespace

std::string CollaboratorNameProblem(std::string_view name) {
  return Problem(name, false);
}

std::string TaskNameProblem(std::string_view name) {
  return Problem(name, true);
}

std::string LayerNameProblem(std::string_view name) {
  const bool starts_well = !name.empty() && (kLower.find(name.front()) != std::string_view::npos ||
                                             kUpper.find(name.front()) != std::string_view::npos);
  if (starts_well && name.size() <= kLongestName && OnlyOf(name, "-_", true)) return "";
  return format("expected a letter, then letters, digits, '-' and '_', at most {} characters",
                kLongestName);
}

}  // namespace fx
