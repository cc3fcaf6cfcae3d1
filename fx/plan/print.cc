// fx plan print: what the plan says once its defaults files are merged, and who says it.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/base/format.h"
#include "fx/host_name.h"
#include "fx/plan/commands.h"
#include "fx/plan/named_plans.h"
#include "fx/workspace/marker.h"
#include "plan/canonical.h"
#include "plan/explain.h"
#include "plan/load.h"
#include "plan/merge_defaults.h"

namespace fx {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kAddressKey = "network.settings.agg_addr";

Json FromScalar(const ExplainedValue& value) {
  const YamlScalar& scalar = value.value;
  switch (scalar.kind) {
    case YamlKind::kNull:
      return nullptr;
    case YamlKind::kBool:
      return scalar.boolean;
    case YamlKind::kInteger:
      return scalar.integer;
    case YamlKind::kFloat:
      return std::isfinite(scalar.real) ? Json(scalar.real) : Json(value.text);
    case YamlKind::kString:
    case YamlKind::kTimestamp:
      return scalar.text;
    case YamlKind::kSequence:
      return Json::array();
    case YamlKind::kMapping:
      return Json::object();
  }
  return nullptr;
}

std::string_view Name(Origin origin) {
  switch (origin) {
    case Origin::kPlan:
      return "plan";
    case Origin::kDefaults:
      return "defaults file";
    case Origin::kBuiltIn:
      return "built in";
  }
  return "";
}

// An ExplainedValue, or one that the command line or the environment decides.
struct Shown {
  ExplainedValue value;
  std::string origin;
  std::string place;
};

class PlanPrint : public Command {
 public:
  std::string_view noun() const override { return "plan"; }
  std::string_view verb() const override { return "print"; }
  std::string_view summary() const override {
    return "Show the plan with its defaults, and where each value comes from";
  }
  std::string_view example() const override { return "fx plan print --origin"; }

  void Declare(Flags& flags) override {
    flags.WorkspaceFile("-p,--plan_config", &plan_, "The plan");
    flags.WorkspaceFile("-c,--cols_config", &cols_, "The collaborators that may take part");
    flags.Text("-a,--aggregator_address", &address_,
               "Show the plan as fx plan initialize -a would make it");
    flags.Switch("--origin", &origin_,
                 "For every value, also those that are nowhere written: the "
                 "file and line, the environment or the option it is from");
    flags.Switch("--json", &json_, "For programs: every value and its origin, as JSON");
  }

  Status Run(Io& io) override { return In(Print(io), "cannot show the plan"); }
  bool for_programs() const override { return json_; }

 private:
  Status Print(Io& io) const {
    const bool named = Exists(kWorkspaceMarker) && plan_ == kPlanFile;
    const std::string name = named ? TRY(CurrentPlanName()) : plan_;
    const Plan plan = TRY(LoadPlan(plan_, cols_));
    if (json_) {
      const std::vector<Shown> values = TRY(Values());
      io.out << JsonOf(name, plan, values);
      return Ok();
    }
    io.out << format("# The current plan is: {}\n# Plan hash {}\n# Federation {}\n", name,
                     plan.digest, plan.federation_uuid);
    io.out << TRY(origin_ ? Origins() : Merged());
    return Ok();
  }

  Result<std::string> Merged() const {
    const std::string text = TRY(ReadFile(plan_, kMaxYamlBytes));
    const YamlRef merged = TRY(LoadMergedPlan(text, plan_));
    return CanonicalYaml(*merged);
  }

  Result<std::string> Origins() const {
    const std::vector<Shown> values = TRY(Values());
    return TextOf(values);
  }

  Result<std::vector<Shown>> Values() const {
    std::vector<Shown> all;
    for (ExplainedValue& value : TRY(ExplainPlan(plan_, cols_))) {
      Shown& shown = all.emplace_back();
      shown.origin = Name(value.origin);
      shown.place = value.place;
      if (value.key == kAddressKey) ChooseAddress(value, shown);
      shown.value = std::move(value);
    }
    return all;
  }

  // As fx plan initialize would.
  void ChooseAddress(ExplainedValue& value, Shown& shown) const {
    const char* const fqdn = std::getenv("FQDN");
    const bool open = value.value.text == "auto";
    if (!address_.empty()) {
      Replace(value, shown, address_, "flag", "-a");
    } else if (open && fqdn != nullptr && *fqdn != '\0') {
      Replace(value, shown, fqdn, "environment", "FQDN");
    }
  }

  static void Replace(ExplainedValue& value, Shown& shown, const std::string& text,
                      const std::string& origin, const std::string& place) {
    value.value = {.kind = YamlKind::kString, .text = text};
    value.text = CanonicalScalar(text);
    shown.origin = origin;
    shown.place = place;
  }

  static std::string TextOf(const std::vector<Shown>& values) {
    constexpr std::size_t kWidest = 60;
    std::size_t width = 0;
    const auto line = [](const Shown& v) { return format("{}: {}", v.value.key, v.value.text); };
    for (const Shown& v : values) width = std::max(width, std::min(kWidest, line(v).size()));
    std::string text;
    for (const Shown& v : values) {
      const std::string where = v.place.empty() ? "" : " " + v.place;
      text += format("{:<{}}  # {}{}\n", line(v), width, v.origin, where);
    }
    return text;
  }

  static std::string JsonOf(const std::string& name, const Plan& plan,
                            const std::vector<Shown>& values) {
    Json list = Json::array();
    for (const Shown& v : values) {
      list.push_back({{"key", v.value.key},
                      {"value", FromScalar(v.value)},
                      {"origin", v.origin},
                      {"place", v.place}});
    }
    const Json json = {{"name", name},
                       {"digest", plan.digest},
                       {"federation", plan.federation_uuid},
                       {"values", list}};
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }

  std::string plan_ = kPlanFile;
  std::string cols_ = kColsFile;
  std::string address_;
  bool origin_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakePlanPrint() {
  return std::make_unique<PlanPrint>();
}

}  // namespace fx
