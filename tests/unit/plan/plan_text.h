// testdata/plan.yaml with changes, loaded: for tests of what LoadPlan says.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/file.h"
#include "plan/load.h"

namespace fx::test {

// A workspace in a temporary folder with that plan in it.
class PlanText {
 public:
  PlanText() : text_(*ReadFile(Path(FX_SOURCE_DIR) / "tests/unit/plan/testdata/plan.yaml")) {
    EXPECT_TRUE(MakeFolders(folder_.path() / "plan/defaults"));
  }

  // Replaces the first occurrence, which must exist.
  PlanText& Replace(std::string_view old_text, std::string_view new_text) {
    const std::size_t at = text_.find(old_text);
    EXPECT_NE(at, std::string::npos) << old_text;
    if (at != std::string::npos) text_.replace(at, old_text.size(), new_text);
    return *this;
  }
  PlanText& Set(std::string text) {
    text_ = std::move(text);
    return *this;
  }
  PlanText& Cols(std::string_view text) { return File("plan/cols.yaml", text); }
  PlanText& File(const Path& name, std::string_view text) {
    EXPECT_TRUE(AtomicWrite(folder_.path() / name, text));
    return *this;
  }

  Result<Plan> Load() {
    File("plan/plan.yaml", text_);
    return LoadPlan(folder_.path() / "plan/plan.yaml", folder_.path() / "plan/cols.yaml");
  }

  Result<Plan> LoadToRun() {
    File("plan/plan.yaml", text_);
    return LoadPlanToRun(folder_.path() / "plan/plan.yaml", folder_.path() / "plan/cols.yaml");
  }

  // What LoadPlan complains about, a line each, without folder and indent; "" if nothing. And what
  // LoadPlanToRun does.
  std::string Complaints() { return ComplaintsOf(Load()); }
  std::string ComplaintsToRun() { return ComplaintsOf(LoadToRun()); }

  const std::string& text() const { return text_; }

 private:
  std::string ComplaintsOf(const Result<Plan>& plan) const {
    if (plan) return "";
    std::string message = plan.error().message();
    for (const std::string& noise : {folder_.path().string() + "/plan/", std::string(11, ' ')}) {
      for (std::size_t at; (at = message.find(noise)) != std::string::npos;) {
        message.erase(at, noise.size());
      }
    }
    return message;
  }

  TempDir folder_;
  std::string text_;
};

// The complaints after one change.
inline std::string After(std::string_view old_text, std::string_view new_text) {
  return PlanText().Replace(old_text, new_text).Complaints();
}

}  // namespace fx::test
