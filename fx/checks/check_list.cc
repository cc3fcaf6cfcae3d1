#include "fx/checks/check_list.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/format.h"

namespace fx {
namespace {

using JsonValue = nlohmann::ordered_json;

std::string_view Name(Finding finding) {
  switch (finding) {
    case Finding::kGood:
      return "ok";
    case Finding::kWarning:
      return "warning";
    case Finding::kBad:
      return "failed";
  }
  return "";
}

}  // namespace

void CheckList::Good(std::string name, std::string found) {
  checks_.push_back(
      {.name = std::move(name), .finding = Finding::kGood, .found = std::move(found), .fix = ""});
}

void CheckList::Warn(std::string name, std::string found, std::string fix) {
  checks_.push_back({.name = std::move(name),
                     .finding = Finding::kWarning,
                     .found = std::move(found),
                     .fix = std::move(fix)});
}

void CheckList::Bad(std::string name, const Error& error) {
  checks_.push_back({.name = std::move(name),
                     .finding = Finding::kBad,
                     .found = error.OneLine(),
                     .fix = error.hint()});
  if (!first_) first_ = error;
}

std::string CheckList::Text() const {
  std::size_t width = 0;
  for (const Check& check : checks_) width = std::max(width, check.name.size());
  std::string text;
  for (const Check& check : checks_) {
    text += format("{:<7}  {:<{}}  {}\n", Name(check.finding), check.name, width, check.found);
    if (!check.fix.empty()) text += format("{:<{}}  what helps: {}\n", "", width + 9, check.fix);
  }
  return text;
}

std::string CheckList::Json() const {
  JsonValue list = JsonValue::array();
  for (const Check& check : checks_) {
    list.push_back({{"check", check.name},
                    {"finding", Name(check.finding)},
                    {"found", check.found},
                    {"fix", check.fix}});
  }
  return list.dump(2, ' ', false, JsonValue::error_handler_t::replace) + "\n";
}

Status CheckList::Verdict() const {
  const auto bad = std::ranges::count(checks_, Finding::kBad, &Check::finding);
  if (bad == 0) return Ok();
  return Fail(first_->code(), format("{} of {} checks failed, the first of them: {}", bad,
                                     checks_.size(), first_->OneLine()));
}

}  // namespace fx
