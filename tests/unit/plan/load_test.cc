#include "plan/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/canonical.h"
#include "tests/unit/plan/plan_text.h"

namespace fx {
namespace {

using test::After;
using test::PlanText;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(LoadPlan, ReadsTheTemplate) {
  const Path folder = Path(FX_SOURCE_DIR) / "workspace_templates/cnn_mnist/plan";
  const Result<Plan> plan = LoadPlan(folder / "plan.yaml", folder / "cols.yaml");
  ASSERT_TRUE(plan) << plan.error().Render();
  EXPECT_EQ(plan->task_runner.num_classes(), 10);
  EXPECT_EQ(plan->data_loader.collaborator_count, 2);
  EXPECT_TRUE(plan->authorized.empty());
  EXPECT_TRUE(LoadDataFile(folder / "data.yaml")->empty());
}

TEST(LoadPlan, ReadsEverySection) {
  const Result<Plan> plan = PlanText().Load();
  ASSERT_TRUE(plan) << plan.error().Render();
  EXPECT_EQ(plan->aggregator.init_state_path, "save/init.pbuf");
  EXPECT_EQ(plan->aggregator.rounds_to_train, 10U);
  EXPECT_EQ(plan->collaborator.opt_treatment, OptTreatment::kReset);
  EXPECT_EQ(plan->data_loader.type, "IdxDataLoader");
  EXPECT_EQ(plan->data_loader.collaborator_count, 2);
  EXPECT_EQ(plan->task_runner.num_classes(), 10);
  EXPECT_EQ(plan->task_runner.optimizer.momentum, 0.9);
  EXPECT_EQ(plan->network.agg_addr, "auto");
  EXPECT_EQ(plan->network.agg_port, 0);
  EXPECT_TRUE(plan->network.tls);
  EXPECT_FALSE(plan->stragglers.cutoff_ms);
  EXPECT_TRUE(plan->authorized.empty());
}

TEST(LoadPlan, NamesLayersThatHaveNoName) {
  const Plan plan = *PlanText().Load();
  const Layout layout = ParameterLayout(plan.task_runner);
  std::vector<std::string> names;
  for (const TensorSpec& tensor : layout) names.push_back(tensor.name);
  EXPECT_THAT(names, ElementsAre("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias",
                                 "dense1.weight", "dense1.bias", "dense2.weight", "dense2.bias"));
}

TEST(LoadPlan, ReadsTasksInTheOrderOfTheirGroup) {
  const Plan plan = *PlanText().Load();
  ASSERT_EQ(plan.task_groups.size(), 1U);
  std::vector<std::string> tasks;
  for (const TaskName& name : plan.task_groups[0].tasks) tasks.push_back(name.value);
  EXPECT_THAT(
      tasks, ElementsAre("aggregated_model_validation", "train", "locally_tuned_model_validation"));
  const TaskSpec& local = plan.tasks.at({"locally_tuned_model_validation"});
  EXPECT_EQ(local.function, TaskFunction::kValidate);
  EXPECT_EQ(local.apply, ApplyTo::kLocal);
  EXPECT_THAT(local.metrics, ElementsAre("accuracy", "loss"));
}

TEST(LoadPlan, GivesThePlanItsIdentity) {
  const Plan plan = *PlanText().Load();
  EXPECT_EQ(plan.digest.size(), 96U);
  EXPECT_EQ(plan.federation_uuid, "plan.yaml_" + plan.digest.substr(0, 8));
  EXPECT_EQ(plan.aggregator_uuid, "aggregator_plan.yaml_" + plan.digest.substr(0, 8));
  EXPECT_EQ(PlanText().Replace("# in this order", "").Load()->digest, plan.digest);
  EXPECT_NE(PlanText().Replace("rounds_to_train: 10", "rounds_to_train: 11").Load()->digest,
            plan.digest);
}

TEST(LoadPlan, KeepsTheOrderOfTheCollaborators) {
  const Plan plan = *PlanText().Cols("collaborators: [two, one]\n").Load();
  EXPECT_THAT(plan.authorized, ElementsAre(CollaboratorName{"two"}, CollaboratorName{"one"}));
}

TEST(LoadPlan, DoesWhatAnEditSays) {
  PlanText text;
  text.Replace("rounds_to_train: 10", "rounds_to_train: 3\n    durability: round")
      .Replace("epochs: 1", "epochs: 2\n      batch_size: 64")
      .Replace("learning_rate: 0.03", "learning_rate: 1.0e-3")
      .Replace("type: sgd", "type: adam")
      .Replace("      momentum: 0.9\n", "      beta1: 0.8\n")
      .Replace("RESET ", "CONTINUE_LOCAL ")
      .Replace("batch_size: 32", "batch_size: 16")
      .Replace("straggler_cutoff_time: .inf", "straggler_cutoff_time: 1.5");
  const Result<Plan> plan = text.Load();
  ASSERT_TRUE(plan) << plan.error().Render();
  EXPECT_EQ(plan->aggregator.rounds_to_train, 3U);
  EXPECT_EQ(plan->aggregator.durability, Durability::kRound);
  EXPECT_EQ(plan->tasks.at({"train"}).epochs, 2);
  EXPECT_EQ(plan->tasks.at({"train"}).batch_size, 64);
  EXPECT_EQ(plan->task_runner.optimizer.type, OptimizerType::kAdam);
  EXPECT_EQ(plan->task_runner.optimizer.learning_rate, 1e-3);
  EXPECT_EQ(plan->task_runner.optimizer.beta1, 0.8);
  EXPECT_EQ(plan->collaborator.opt_treatment, OptTreatment::kContinueLocal);
  EXPECT_EQ(plan->data_loader.batch_size, 16);
  EXPECT_EQ(plan->stragglers.cutoff_ms, 1500);
}

TEST(LoadPlan, TrainsOnTheCoresThatAreFreeUnlessItSaysHowMany) {
  const auto with = [](const std::string& line) {
    PlanText text;
    text.Replace("threads: 1 ", line + " ");
    return text.Load();
  };
  EXPECT_EQ(with("").value().task_runner.threads, 0);
  EXPECT_EQ(with("threads: auto").value().task_runner.threads, 0);
  EXPECT_EQ(with("threads: 6").value().task_runner.threads, 6);
  for (const std::string wrong : {"0", "1025", "all", "1.5"}) {
    const Result<Plan> plan = with("threads: " + wrong);
    ASSERT_FALSE(plan) << wrong;
    EXPECT_THAT(plan.error().Render(), testing::HasSubstr("expected 1 to 1024 or auto"));
  }
}

TEST(LoadPlan, MayDrawWhoTakesPartInARound) {
  PlanText drawn;
  drawn.Replace("task_groups:",
                "fraction: 0.1\n    minimum: 2\n    over_selection: 0.3\n    task_groups:");
  const Plan plan = drawn.Load().value();
  EXPECT_EQ(plan.sampling.fraction, 0.1);
  EXPECT_EQ(plan.sampling.minimum, 2U);
  EXPECT_EQ(plan.sampling.over_selection, 0.3);
}

TEST(LoadPlan, RefusesToAskMoreThanEverybody) {
  PlanText text;
  text.Replace("task_groups:", "minimum: 2\n    over_selection: 0.3\n    task_groups:");
  const std::string complaints = text.Complaints();
  EXPECT_THAT(complaints, testing::HasSubstr("assigner.settings.minimum changes nothing"));
  EXPECT_THAT(complaints, testing::HasSubstr("assigner.settings.over_selection asks more"));
}

TEST(LoadPlan, TakesOpenFlsClassPathsAndOldKeys) {
  PlanText text;
  text.Replace("template: Aggregator", "template: openfl.component.Aggregator")
      .Replace("template: Collaborator", "template: openfl.component.collaborator.Collaborator")
      .Replace("template: Network", "template: openfl.federation.Network")
      .Replace("RandomGroupedAssigner ", "openfl.component.RandomGroupedAssigner ")
      .Replace("NoCompressionPipeline ", "openfl.pipelines.NoCompressionPipeline ")
      .Replace("template: CutoffTimeBasedStragglerHandling",
               "template: openfl.component.straggler_handling_functions."
               "CutoffTimeBasedStragglerHandling")
      .Replace("use_tls: true", "tls: false")
      .Replace("require_client_auth: true", "disable_client_auth: true\n    hash_salt: auto")
      .Replace("function: validate", "function: validate_task")
      .Replace("function: train", "function: train_batches")
      .Replace("metrics: [accuracy, loss]", "metrics: [acc]");
  const Result<Plan> plan = text.Load();
  ASSERT_TRUE(plan) << plan.error().Render();
  EXPECT_FALSE(plan->network.tls);
  EXPECT_FALSE(plan->network.require_client_auth);
  EXPECT_THAT(plan->tasks.at({"aggregated_model_validation"}).metrics, ElementsAre("acc"));
}

TEST(LoadPlan, ReadsStaticGroups) {
  PlanText text;
  text.Replace("RandomGroupedAssigner ", "StaticGroupedAssigner ")
      .Replace("percentage: 1.0 ", "collaborators: [one, two] ")
      .Cols("collaborators: [one, two]");
  const Result<Plan> plan = text.Load();
  ASSERT_TRUE(plan) << plan.error().Render();
  EXPECT_EQ(plan->assigner, AssignerType::kStaticGrouped);
  EXPECT_THAT(plan->task_groups[0].collaborators,
              ElementsAre(CollaboratorName{"one"}, CollaboratorName{"two"}));
}

TEST(LoadPlan, ReadsThePercentagePolicy) {
  PlanText text;
  text.Replace("CutoffTimeBasedStragglerHandling", "PercentageBasedStragglerHandling")
      .Replace("straggler_cutoff_time: .inf", "percent_collaborators_needed: 0.5")
      .Replace("minimum_reporting: 1", "minimum_reporting: 2");
  const Result<Plan> plan = text.Load();
  ASSERT_TRUE(plan) << plan.error().Render();
  EXPECT_EQ(plan->stragglers.percent_needed, 0.5);
  EXPECT_EQ(plan->stragglers.minimum_reporting, 2U);
  EXPECT_FALSE(plan->stragglers.cutoff_ms);
}

TEST(LoadPlan, MergesDefaultsFromTheWorkspace) {
  PlanText text;
  text.File("plan/defaults/collaborator.yaml",
            "template: Collaborator\nsettings: {opt_treatment: CONTINUE_GLOBAL, db_store_rounds: "
            "5}\n")
      .Replace("collaborator:\n  template: Collaborator\n  settings:\n    opt_treatment: RESET ",
               "collaborator:\n  defaults: plan/defaults/collaborator.yaml\n  settings:\n   ");
  const Result<Plan> plan = text.Load();
  ASSERT_TRUE(plan) << plan.error().Render();
  EXPECT_EQ(plan->collaborator.opt_treatment, OptTreatment::kContinueGlobal);
  EXPECT_EQ(plan->collaborator.db_store_rounds, 1U) << "the section's own value wins";
  EXPECT_EQ(plan->digest, PlanText().Replace("RESET ", "CONTINUE_GLOBAL ").Load()->digest)
      << "what counts is the merged plan";
}

TEST(LoadPlan, ComplainsInADefaultsFileAtItsPlace) {
  PlanText text;
  text.File("plan/defaults/network.yaml", "settings:\n  agg_port: 0\n")
      .Replace("network:\n  template: Network", "network:\n  defaults: plan/defaults/network.yaml")
      .Replace("    agg_port: auto                    # and its port\n", "");
  EXPECT_EQ(text.Complaints(),
            "defaults/network.yaml:2: network.settings.agg_port is 0, expected 1 to 65535 or auto");
}

TEST(LoadPlan, RefusesDefaultsItCannotRead) {
  EXPECT_THAT(After("template: Collaborator", "defaults: plan/defaults/none.yaml"),
              HasSubstr("plan.yaml:15: collaborator.defaults: "));
  EXPECT_EQ(After("template: Collaborator", "defaults: ../none.yaml"),
            "plan.yaml:15: collaborator.defaults is \"../none.yaml\", expected a path inside the "
            "workspace, such as plan/defaults/collaborator.yaml");
  EXPECT_EQ(PlanText()
                .File("plan/defaults/c.yaml", "[1]")
                .Replace("template: Collaborator", "defaults: plan/defaults/c.yaml")
                .Complaints(),
            "defaults/c.yaml:1: the defaults of collaborator are a list, expected a mapping");
}

TEST(LoadPlan, SaysWhatItCouldNotDoAndEveryComplaintAtOnce) {
  PlanText text;
  text.Replace("rounds_to_train: 10", "rounds_to_trian: 10")
      .Replace("momentum: 0.9", "momentum: 1.5");
  text.Cols("collaborators: [A]\n");
  EXPECT_EQ(
      text.Complaints(),
      "cols.yaml:1: collaborators[0]: the name \"A\" has capital letters, expected lower case as "
      "in "
      "its certificate\n"
      "plan.yaml:10: aggregator.settings.rounds_to_trian is unknown, did you mean "
      "rounds_to_train?\n"
      "plan.yaml:51: task_runner.settings.optimizer.momentum is 1.5, expected at least 0, less "
      "than 1");
  const std::string render = text.Load().error().Render();
  EXPECT_THAT(render, HasSubstr("error: cannot use the plan "));
  EXPECT_THAT(render, HasSubstr("\n           "));
}

TEST(LoadPlan, SaysThatAFileIsMissing) {
  const auto plan = LoadPlan("no/such/plan.yaml", "no/such/cols.yaml");
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().OneLine(), HasSubstr("cannot use the plan no/such/plan.yaml: "));
}

TEST(LoadPlan, RefusesWhatIsNoPlan) {
  EXPECT_EQ(PlanText().Set("").Complaints(), "plan.yaml:1: the plan is nothing, expected sections");
  EXPECT_EQ(PlanText().Set("- a\n").Complaints(),
            "plan.yaml:1: the plan is a list, expected sections");
  EXPECT_EQ(PlanText().Set("{}").Complaints(),
            "plan.yaml:1: the section aggregator is missing\n"
            "plan.yaml:1: the section assigner is missing\n"
            "plan.yaml:1: the section data_loader is missing\n"
            "plan.yaml:1: the section task_runner is missing\n"
            "plan.yaml:1: the section tasks is missing");
}

TEST(LoadPlan, DoesWithoutTheSectionsThatHaveDefaults) {
  PlanText text;
  const std::string& all = text.text();
  text.Set(all.substr(0, all.find("compression_pipeline:")));
  EXPECT_EQ(text.Complaints(), "");
  EXPECT_EQ(text.Load()->stragglers.minimum_reporting, 1U);
}

}  // namespace
}  // namespace fx
