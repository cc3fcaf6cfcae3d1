// The sections assigner and tasks. Aggregation functions and their settings say themselves what
// they mean (aggregator/functions/).
#include "plan/reference/meanings.h"

namespace fx {

namespace {

constexpr Meaning kMeanings[] = {
    {"assigner.template", "how collaborators come into groups"},
    {"assigner.template=RandomGroupedAssigner",
     "draws anew every round who is in which group; groups say their share"},
    {"assigner.template=StaticGroupedAssigner",
     "groups list their members; everyone in `cols.yaml` is in exactly one"},
    {"assigner.settings.task_groups", "the groups, at least one"},
    {"assigner.settings.task_groups[].name", "groups have different names"},
    {"assigner.settings.task_groups[].tasks",
     "names of tasks: what the group runs, in this order, each task once"},
    {"assigner.settings.task_groups[].percentage",
     "the group's share of all collaborators; all shares add up to 1, within 0.01"},
    {"assigner.settings.task_groups[].percentage",
     "read, and of no use",
     {},
     "StaticGroupedAssigner"},
    {"assigner.settings.task_groups[].collaborators", "names of its members"},
    {"assigner.settings.fraction",
     "the share of all collaborators that a round waits for, rounded up (McMahan et al. 2017: "
     "C). Who takes part is drawn anew every round, from the plan and the round's number; groups "
     "are cut from those who were drawn"},
    {"assigner.settings.minimum",
     "never fewer than so many, unless there are fewer; only with a `fraction` below 1"},
    {"assigner.settings.over_selection",
     "this share more is asked than is waited for, and the round closes as soon as enough have "
     "done their part; the slowest are left out of it (Bonawitz et al. 2019 ask 0.3 more); only "
     "with a `fraction` below 1"},

    {"tasks.NAME.function", "what it does; the other names are OpenFL's"},
    {"tasks.NAME.function=train", "trains the model on the site's data, and sends its weights"},
    {"tasks.NAME.function=validate", "says how good a model is on the site's data"},
    {"tasks.NAME.kwargs", "how it does it", "`{}`"},
    {"tasks.NAME.aggregation_type",
     "how the weights of the sites become one model; numbers of a task that validates are always "
     "averaged",
     "WeightedAverage"},
    {"tasks.NAME.kwargs.metrics",
     "what is reported; `acc` is `accuracy`. With the loss mse: loss and mae; with others all "
     "but mae, and auroc only where a sample has one answer, not one for each pixel or step. The "
     "first that is not loss, of the first task that validates, says which model is the best",
     "train: loss; validate: accuracy, with the loss mse mae"},
    {"tasks.NAME.kwargs.batch_size", "samples a step", "the data loader's"},
    {"tasks.NAME.kwargs.epochs", "times through the data"},
    {"tasks.NAME.kwargs.apply", "the aggregated model, or the one the site just trained"},
    {"tasks.NAME.aggregation_type.template",
     "the aggregation function ([more](plan.md#aggregation-functions)); OpenFL's class paths "
     "mean "
     "the same"},
    {"tasks.NAME.aggregation_type.settings", "its settings", "`{}`"},
};

}  // namespace

std::span<const Meaning> TaskMeanings() {
  return kMeanings;
}

}  // namespace fx
