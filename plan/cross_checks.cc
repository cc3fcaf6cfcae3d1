#include "plan/cross_checks.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/format.h"
#include "plan/mapping_reader.h"
#include "plan/names_check.h"
#include "plan/read_aggregation.h"
#include "plan/read_best_model.h"

namespace fx {
namespace {

constexpr double kPercentageTolerance = 0.01;
constexpr std::string_view kGroups = "assigner.settings.task_groups";

class GroupChecks {
 public:
  GroupChecks(const Plan& plan, const YamlValue& groups, Complaints& complaints)
      : plan_(plan), groups_(groups), complaints_(complaints) {}

  void Run() {
    for (std::size_t i = 0; i < plan_.task_groups.size(); ++i) CheckGroup(i);
    if (plan_.assigner == AssignerType::kRandomGrouped)
      CheckPercentages();
    else
      CheckMembers();
  }

 private:
  const TaskSpec* Find(const TaskName& name) const {
    const auto found = plan_.tasks.find(name);
    return found == plan_.tasks.end() ? nullptr : &found->second;
  }

  // The position of the first task that trains; the number of tasks if there is none.
  std::size_t TrainsAt(const TaskGroup& group) const {
    const auto found = std::ranges::find_if(group.tasks, [&](const TaskName& name) {
      const TaskSpec* task = Find(name);
      return task != nullptr && task->function == TaskFunction::kTrain;
    });
    return static_cast<std::size_t>(found - group.tasks.begin());
  }

  void CheckGroup(std::size_t i) {
    const TaskGroup& group = plan_.task_groups[i];
    if (!group.name.empty() && !names_.insert(group.name).second) {
      Complain(i, "name", format("is \"{}\", as is a group before; names must differ", group.name));
    }
    if (group.tasks.empty() && At(i, "tasks")) Complain(i, "tasks", "is empty, expected a task");
    std::set<TaskName> seen;
    for (std::size_t t = 0; t < group.tasks.size(); ++t) {
      CheckTask(i, t, TrainsAt(group));
      if (!seen.insert(group.tasks[t]).second) {
        Complain(i, format("tasks[{}]", t),
                 format("is {} again, expected each task once", group.tasks[t].value));
      }
    }
  }

  void CheckTask(std::size_t i, std::size_t t, std::size_t trains_at) {
    const TaskName& name = plan_.task_groups[i].tasks[t];
    const TaskSpec* task = Find(name);
    if (task == nullptr) {
      std::vector<std::string> known;
      for (const auto& [known_name, spec] : plan_.tasks) known.push_back(known_name.value);
      Complain(i, format("tasks[{}]", t),
               format("is \"{}\", which is not under tasks, {}", name.value,
                      Suggest(name.value, known)));
    } else if (task->function == TaskFunction::kValidate && task->apply == ApplyTo::kLocal &&
               t < trains_at) {
      Complain(i, format("tasks[{}]", t),
               format("is {}, which validates the locally trained model; put a task that trains "
                      "before it",
                      name.value));
    }
  }

  void CheckPercentages() {
    double sum = 0;
    for (const TaskGroup& group : plan_.task_groups) sum += group.percentage;
    if (std::abs(sum - 1) <= kPercentageTolerance) return;
    complaints_.Add(groups_,
                    format("{}: the percentages add up to {:.4g}, expected 1", kGroups, sum));
  }

  void CheckMembers() {
    std::map<CollaboratorName, std::string> group_of;
    for (std::size_t i = 0; i < plan_.task_groups.size(); ++i) {
      const TaskGroup& group = plan_.task_groups[i];
      if (group.collaborators.empty() && At(i, "collaborators")) {
        Complain(i, "collaborators", "is empty, expected a collaborator");
      }
      for (const CollaboratorName& name : group.collaborators) {
        const std::string problem = CollaboratorNameProblem(name.value);
        if (!problem.empty()) {
          Complain(i, "collaborators", format("has \"{}\", which {}", name.value, problem));
        }
        const auto [it, fresh] = group_of.emplace(name, group.name);
        if (fresh) continue;
        Complain(i, "collaborators",
                 format("has {}, who is already in the group {}; expected each "
                        "collaborator in one group",
                        name.value, it->second));
      }
    }
    for (const CollaboratorName& name : plan_.authorized) {
      if (group_of.contains(name)) continue;
      complaints_.Add(groups_,
                      format("{}: {} of cols.yaml is in no group, expected each collaborator "
                             "in one group",
                             kGroups, name.value));
    }
  }

  YamlRef At(std::size_t group, const std::string& key) const {
    return group < groups_.items.size() ? groups_.items[group]->Find(key.substr(0, key.find('[')))
                                        : nullptr;
  }

  void Complain(std::size_t group, const std::string& key, const std::string& text) {
    const YamlRef at = At(group, key);
    complaints_.Add(at ? *at : groups_, format("{}[{}].{} {}", kGroups, group, key, text));
  }

  const Plan& plan_;
  const YamlValue& groups_;
  Complaints& complaints_;
  std::set<std::string> names_;
};

}  // namespace

void CrossCheck(const Plan& plan, const YamlValue& document, Complaints& complaints) {
  const YamlRef groups = FindSetting(document, "assigner", "task_groups");
  if (groups && groups->is_sequence()) GroupChecks(plan, *groups, complaints).Run();
  CheckAggregation(plan, document, complaints);
  CheckBestModel(plan, document, complaints);
}

}  // namespace fx
