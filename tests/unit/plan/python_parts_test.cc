// Stock plans of OpenFL, whose classes are Python: read as they are, and refused only to a site.
#include "plan/python_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plan/plan_text.h"

namespace fx {
namespace {

using testing::HasSubstr;

// What OpenFL's template for MNIST in Keras says, its components by class path.
constexpr const char* kStockPlan = R"(aggregator:
  template: openfl.component.Aggregator
  settings:
    init_state_path: save/init.pbuf
    best_state_path: save/best.pbuf
    last_state_path: save/last.pbuf
    rounds_to_train: 10
    log_metric_callback: {template: src.utils.write_metric}
collaborator:
  template: openfl.component.collaborator.Collaborator
  settings: {delta_updates: true, opt_treatment: RESET, epochs_per_round: 1.0, polling_interval: 4}
data_loader:
  template: src.tfmnist_inmemory.TensorFlowMNISTInMemory
  settings: {batch_size: 256, collaborator_count: 2, data_group_name: mnist}
task_runner:
  template: src.keras_cnn.KerasCNN
  settings: {latent_dim: 256}
network:
  template: openfl.federation.Network
  settings: {agg_addr: auto, agg_port: auto, tls: true, disable_client_auth: false}
assigner:
  template: openfl.component.RandomGroupedAssigner
  settings:
    task_groups:
    - {name: all, percentage: 1.0, tasks: [judge, fit, locally_tuned_model_validation]}
tasks:
  judge: {function: validate, kwargs: {apply: global, metrics: [clean_accuracy], batch_size: 32}}
  fit: {function: train_adversarially, kwargs: {metrics: [adv_ce], epochs: 1, epsilon: 0.3}}
  locally_tuned_model_validation: {function: run, kwargs: {apply: local}}
compression_pipeline:
  template: openfl.pipelines.NoCompressionPipeline
)";

TEST(StockPlan, Loads) {
  test::PlanText plan;
  EXPECT_EQ(plan.Set(kStockPlan).Complaints(), "");
}

TEST(StockPlan, SaysWhichTasksTrainAndOnWhichModelTheOthersRun) {
  test::PlanText text;
  const Result<Plan> plan = text.Set(kStockPlan).Load();
  ASSERT_TRUE(plan) << plan.error().Render();
  EXPECT_EQ(plan->tasks.at({"fit"}).function, TaskFunction::kTrain);
  EXPECT_EQ(plan->tasks.at({"judge"}).function, TaskFunction::kValidate);
  const TaskSpec& tuned = plan->tasks.at({"locally_tuned_model_validation"});
  EXPECT_EQ(tuned.function, TaskFunction::kValidate);
  EXPECT_EQ(tuned.apply, ApplyTo::kLocal);
}

TEST(StockPlan, IsRefusedToASiteWithTheNativeAlternative) {
  test::PlanText text;
  const Result<Plan> plan = text.Set(kStockPlan).Load();
  ASSERT_TRUE(plan) << plan.error().Render();
  const Status native = CheckNative(*plan);
  ASSERT_FALSE(native);
  EXPECT_EQ(native.error().code(), ErrorCode::kUnimplemented);
  EXPECT_THAT(native.error().message(),
              HasSubstr("task_runner.template is src.keras_cnn.KerasCNN"));
  EXPECT_THAT(native.error().hint(), HasSubstr("data_loader.template template: IdxDataLoader"));
  EXPECT_THAT(native.error().hint(), HasSubstr("NativeTaskRunner"));
}

TEST(StockPlan, OfAnotherFieldGetsAnotherAlternative) {
  EXPECT_THAT(PythonPartOf("task_runner", "src.fed_unet_runner.Unet").instead, HasSubstr("unet2d"));
  EXPECT_THAT(PythonPartOf("data_loader", "src.nlp_dataloader.NLPDataLoader").instead,
              HasSubstr("TextDataLoader"));
}

TEST(StockPlan, MayHaveANativeTaskRunnerAndAPythonLoader) {
  test::PlanText plan;
  plan.Replace("template: IdxDataLoader", "template: src.loader.Mine");
  const Result<Plan> loaded = plan.Load();
  ASSERT_TRUE(loaded) << loaded.error().Render();
  EXPECT_EQ(loaded->python_parts.size(), 1U);
  EXPECT_FALSE(loaded->task_runner.layers.empty());
}

TEST(NativePlan, HasNoPythonParts) {
  test::PlanText text;
  const Result<Plan> plan = text.Load();
  ASSERT_TRUE(plan) << plan.error().Render();
  EXPECT_TRUE(plan->python_parts.empty());
  EXPECT_TRUE(CheckNative(*plan));
}

TEST(NativePlan, WithAMistypedTemplateIsNotTakenForPython) {
  test::PlanText plan;
  EXPECT_THAT(plan.Replace("template: NativeTaskRunner", "template: NativeTaskRuner").Complaints(),
              HasSubstr("did you mean NativeTaskRunner?"));
}

}  // namespace
}  // namespace fx
