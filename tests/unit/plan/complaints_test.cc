// Every kind of complaint about a plan, with its words.
#include "plan/complaints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plan/plan_text.h"

namespace fx {
namespace {

using test::After;
using test::PlanText;

TEST(Complaints, AreToldInTheOrderOfTheFileEachOnce) {
  Complaints complaints;
  complaints.Add("b", 2, "late");
  complaints.Add("a", 10, "tenth");
  complaints.Add("a", 9, "two\nlines");
  complaints.Add("b", 2, "late");
  EXPECT_EQ(complaints.ToStatus().error().message(),
            "a:9: two lines\n           a:10: tenth\n           b:2: late");
  EXPECT_TRUE(Complaints().ToStatus());
}

TEST(Complaints, ThatAreTooManyAreCounted) {
  Complaints complaints;
  for (int line = 1; line <= 103; ++line) complaints.Add("a", line, "x");
  const std::string message = complaints.ToStatus().error().message();
  EXPECT_THAT(message, ::testing::EndsWith("a:100: x\n           and 3 more"));
}

TEST(Complaints, ThatAreTooLongAreCutBetweenCharacters) {
  Complaints complaints;
  complaints.Add("a", 1, "x" + std::string(kLongestComplaint - 2, 'y') + "\u00e9 is not a key");
  const std::string message = complaints.ToStatus().error().message();
  EXPECT_THAT(message, ::testing::EndsWith("yyy..."));
}

TEST(Complaint, OfASectionThatIsNoMapping) {
  EXPECT_EQ(After("compression_pipeline:\n  template: NoCompressionPipeline ",
                  "compression_pipeline: 3 "),
            "plan.yaml:91: compression_pipeline is 3, expected a mapping (lines of `key: value`)");
  EXPECT_EQ(
      After("compression_pipeline:\n  template: NoCompressionPipeline ", "compression_pipeline: "),
      "plan.yaml:91: compression_pipeline is nothing, expected a section with template and "
      "settings");
}

TEST(Complaint, OfAnUnknownSection) {
  EXPECT_EQ(After("network:\n", "netwrok:\n"),
            "plan.yaml:53: the section netwrok is unknown, did you mean network?");
  EXPECT_EQ(After("network:\n", "api_layer: {}\nnetwork:\n"),
            "plan.yaml:53: the section api_layer is unknown, expected one of aggregator, assigner, "
            "collaborator, compression_pipeline, data_loader, network, straggler_handling_policy, "
            "task_runner, tasks");
}

TEST(Complaint, OfAnUnknownKeyInASection) {
  EXPECT_EQ(After("  template: Collaborator", "  templat: Collaborator"),
            "plan.yaml:15: collaborator.templat is unknown, did you mean template?");
}

TEST(Complaint, OfAnUnknownTemplate) {
  EXPECT_EQ(After("template: IdxDataLoader", "template: MnistLoader"),
            "plan.yaml:22: data_loader.template is \"MnistLoader\", expected one of CsvDataLoader, "
            "IdxDataLoader, ImageFolderDataLoader, NiftiDataLoader, NpzDataLoader, "
            "TextDataLoader");
  EXPECT_EQ(After("template: IdxDataLoader", "template: IdxDataloader"),
            "plan.yaml:22: data_loader.template is \"IdxDataloader\", did you mean IdxDataLoader?");
  EXPECT_EQ(
      After("NoCompressionPipeline ", "openfl.pipelines.KCPipeline "),
      "plan.yaml:92: compression_pipeline.template is \"openfl.pipelines.KCPipeline\", expected "
      "NoCompressionPipeline");
}

TEST(Complaint, OfANumberThatIsText) {
  EXPECT_EQ(
      After("learning_rate: 0.03", "learning_rate: 1e-4"),
      "plan.yaml:50: task_runner.settings.optimizer.learning_rate is \"1e-4\", expected more than "
      "0, at most 1000 (YAML reads 1e-4 as text: write 1.0e-4)");
  EXPECT_EQ(
      After("learning_rate: 0.03", "learning_rate: 1.5e2"),
      "plan.yaml:50: task_runner.settings.optimizer.learning_rate is \"1.5e2\", expected more than "
      "0, at most 1000 (YAML reads 1.5e2 as text: write 1.5e+2)");
  EXPECT_EQ(
      After("rounds_to_train: 10", "rounds_to_train: '10'"),
      "plan.yaml:10: aggregator.settings.rounds_to_train is \"10\", expected a whole number from 1 "
      "to 1000000 (remove the quotes)");
  EXPECT_EQ(
      After("rounds_to_train: 10", "rounds_to_train: ten"),
      "plan.yaml:10: aggregator.settings.rounds_to_train is \"ten\", expected a whole number from "
      "1 to 1000000");
}

TEST(Complaint, OfANumberOutOfRange) {
  EXPECT_EQ(
      After("rounds_to_train: 10", "rounds_to_train: 0"),
      "plan.yaml:10: aggregator.settings.rounds_to_train is 0, expected a whole number from 1 to "
      "1000000");
  EXPECT_EQ(
      After("rounds_to_train: 10", "rounds_to_train: 1.5"),
      "plan.yaml:10: aggregator.settings.rounds_to_train is 1.5, expected a whole number from 1 to "
      "1000000");
  EXPECT_EQ(After("percentage: 1.0", "percentage: 1.4"),
            "plan.yaml:68: assigner.settings.task_groups[0].percentage is 1.4, expected more than "
            "0, at most 1");
  EXPECT_EQ(
      After("std: 0.3530", "std: .nan"),
      "plan.yaml:28: data_loader.settings.std is .nan, expected more than 0, at most 1000000");
  EXPECT_EQ(
      After("straggler_cutoff_time: .inf", "straggler_cutoff_time: 0"),
      "plan.yaml:97: straggler_handling_policy.settings.straggler_cutoff_time is 0, expected 0.001 "
      "or more");
}

TEST(Complaint, OfABooleanThatIsNone) {
  EXPECT_EQ(After("write_logs: true", "write_logs: 1"),
            "plan.yaml:12: aggregator.settings.write_logs is 1, expected true or false");
  EXPECT_EQ(
      After("write_logs: true", "write_logs: 'yes'"),
      "plan.yaml:12: aggregator.settings.write_logs is \"yes\", expected true or false (remove the "
      "quotes)");
}

TEST(Complaint, OfATextThatYamlReadsAsSomethingElse) {
  EXPECT_EQ(
      After("name: train_and_validate", "name: yes"),
      "plan.yaml:67: assigner.settings.task_groups[0].name is yes, expected text (if it is meant "
      "as text, write \"yes\")");
  EXPECT_EQ(After("name: train_and_validate", "name: [a]"),
            "plan.yaml:67: assigner.settings.task_groups[0].name is a list, expected text");
}

TEST(Complaint, OfAChoice) {
  EXPECT_EQ(After("RESET ", "CONTINUE "),
            "plan.yaml:17: collaborator.settings.opt_treatment is \"CONTINUE\", expected one of "
            "CONTINUE_GLOBAL, CONTINUE_LOCAL, RESET");
  EXPECT_EQ(After("RESET ", "RSET "),
            "plan.yaml:17: collaborator.settings.opt_treatment is \"RSET\", did you mean RESET?");
}

TEST(Complaint, OfAMissingKey) {
  EXPECT_EQ(
      After("best_state_path: save/best.pbuf", "write_logs: true #"),
      "plan.yaml:7: aggregator.settings.best_state_path is missing, expected a path such as "
      "save/best.pbuf\n"
      "plan.yaml:12: aggregator.settings.write_logs is given twice, first on line 8; keep one of "
      "the two");
}

TEST(Complaint, OfAPathOutsideTheWorkspace) {
  for (const std::string path : {"/tmp/best.pbuf", "../best.pbuf", "save/../../best.pbuf"}) {
    EXPECT_EQ(After("save/best.pbuf", path),
              "plan.yaml:8: aggregator.settings.best_state_path is \"" + path +
                  "\", expected a path inside the workspace, such as save/model.pbuf");
  }
}

TEST(Complaint, OfWhatOpenFlHasAndWeDoNot) {
  EXPECT_EQ(
      After("write_logs: true ", "persist_checkpoint: false "),
      "plan.yaml:12: aggregator.settings.persist_checkpoint is false, expected true: every round "
      "is always kept on disk");
  EXPECT_EQ(After("write_logs: true ", "single_col_cert_common_name: all "),
            "plan.yaml:12: aggregator.settings.single_col_cert_common_name is not supported: every "
            "collaborator has a certificate of its own; remove the key");
}

TEST(Complaint, OfTheAggregatorsAddress) {
  EXPECT_EQ(
      After("agg_addr: auto", "agg_addr: a host"),
      "plan.yaml:56: network.settings.agg_addr is \"a host\", expected a host name, an IP address "
      "or auto");
  EXPECT_EQ(After("agg_port: auto", "agg_port: 70000"),
            "plan.yaml:57: network.settings.agg_port is 70000, expected 1 to 65535 or auto");
  EXPECT_EQ(After("use_tls: true", "use_tls: true\n    tls: false"),
            "plan.yaml:58: network.settings.use_tls contradicts tls; keep one of the two");
}

TEST(Complaint, OfALayer) {
  EXPECT_EQ(After("{type: relu}", "{type: rellu}"),
            "plan.yaml:38: task_runner.settings.layers[1].type is \"rellu\", did you mean relu?");
  EXPECT_EQ(
      After("{type: relu}", "{kind: relu}"),
      "plan.yaml:38: task_runner.settings.layers[1].type is missing, expected the kind of layer, "
      "such as conv2d");
  EXPECT_EQ(
      After("{type: relu}", "relu"),
      "plan.yaml:38: task_runner.settings.layers[1] is \"relu\", expected a mapping (lines of "
      "`key: value`)");
  EXPECT_EQ(
      After("filters: 16, ", ""),
      "plan.yaml:37: task_runner.settings.layers[0].filters is missing, expected how many channels "
      "it puts out");
  EXPECT_EQ(After("kernel: 5,", "kernel: [5, 5, 5],"),
            "plan.yaml:37: task_runner.settings.layers[0].kernel has 3 numbers, expected one, or "
            "[height, width]");
  EXPECT_EQ(
      After("kernel: 5,", "kernel: [5, 0],"),
      "plan.yaml:37: task_runner.settings.layers[0].kernel[1] is 0, expected a whole number from 1 "
      "to 1024");
  EXPECT_EQ(
      After("{type: relu}", "{type: dropout, rate: 1}"),
      "plan.yaml:38: task_runner.settings.layers[1].rate is 1, expected at least 0, less than 1");
  EXPECT_EQ(After("{type: relu}", "{type: relu, rate: 1}"),
            "plan.yaml:38: task_runner.settings.layers[1].rate is unknown, expected one of inputs, "
            "name, type");
}

TEST(Complaint, OfALayersName) {
  EXPECT_EQ(
      After("{type: relu}", "{type: relu, name: conv1}"),
      "plan.yaml:38: task_runner.settings.layers[1].name is conv1, as is the layer on line 37; "
      "names must differ");
  EXPECT_EQ(After("{type: relu}", "{type: relu, name: a/b}"),
            "plan.yaml:38: task_runner.settings.layers[1].name is \"a/b\", expected a letter, then "
            "letters, digits, '-' and '_', at most 64 characters");
}

TEST(Complaint, OfLayersThatDoNotFit) {
  EXPECT_EQ(
      After("      - {type: flatten}\n", ""),
      "plan.yaml:43: task_runner.settings.layers[6]: layer dense1 takes [features], but its input "
      "is [32, 7, 7]; put a flatten layer before it");
  EXPECT_EQ(
      After("units: 10}", "units: 1}"),
      "plan.yaml:46: task_runner.settings.layers[9]: layer dense2 is the last and has the output "
      "[1], expected [classes] with two classes or more");
}

TEST(Complaint, OfANetworkThatIsNone) {
  EXPECT_EQ(After("input_shape: [1, 28, 28]", "input_shape: [1, 2, 3, 4]"),
            "plan.yaml:35: task_runner.settings.input_shape is a list, expected [features], [time, "
            "features] or [channels, height, width]");
  EXPECT_EQ(After("input_shape: [1, 28, 28]", "input_shape: [512, 1024, 1024]"),
            "plan.yaml:35: task_runner.settings.input_shape is [512, 1024, 1024], expected "
            "[features], [time, features] or [channels, height, width], at most 268435456 values "
            "in all");
  EXPECT_EQ(After("input_shape: [1, 28, 28]", "input_shape: [28, 0]"),
            "plan.yaml:35: task_runner.settings.input_shape[1] is 0, expected a whole number from "
            "1 to 1048576");
}

TEST(Complaint, OfATask) {
  EXPECT_EQ(After("function: train\n", "function: trian\n"),
            "plan.yaml:81: tasks.train.function is \"trian\", did you mean train?");
  EXPECT_EQ(After("epochs: 1 ", "epoch: 1 "),
            "plan.yaml:83: tasks.train.kwargs.epoch is unknown, did you mean epochs?");
  EXPECT_EQ(
      After("metrics: [accuracy, loss]", "metrics: [accuracy, los]"),
      "plan.yaml:79: tasks.aggregated_model_validation.kwargs.metrics[1] is \"los\", did you mean "
      "loss?");
  EXPECT_EQ(
      After("metrics: [accuracy, loss]", "metrics: accuracy"),
      "plan.yaml:79: tasks.aggregated_model_validation.kwargs.metrics is \"accuracy\", expected a "
      "list: [a, b]");
}

TEST(Complaint, OfATasksName) {
  EXPECT_EQ(
      PlanText().Replace("- train\n", "- delta\n").Replace("  train: ", "  delta: ").Complaints(),
      "plan.yaml:80: tasks.delta: the name is a word with a meaning of its own, choose another "
      "name");
}

TEST(Complaint, OfAGroupsTasks) {
  EXPECT_EQ(
      After("- aggregated_model_validation", "- agregated_model_validation"),
      "plan.yaml:70: assigner.settings.task_groups[0].tasks[0] is \"agregated_model_validation\", "
      "which is not under tasks, did you mean aggregated_model_validation?");
  EXPECT_EQ(
      After("- aggregated_model_validation", "- train"),
      "plan.yaml:70: assigner.settings.task_groups[0].tasks[1] is train again, expected each task "
      "once");
  EXPECT_EQ(
      After("- aggregated_model_validation\n          - train\n          - "
            "locally_tuned_model_validation",
            "- locally_tuned_model_validation\n          - train"),
      "plan.yaml:70: assigner.settings.task_groups[0].tasks[0] is locally_tuned_model_validation, "
      "which validates the locally trained model; put a task that trains before it");
}

TEST(Complaint, OfGroups) {
  EXPECT_EQ(
      After("percentage: 1.0", "percentage: 0.9"),
      "plan.yaml:67: assigner.settings.task_groups: the percentages add up to 0.9, expected 1");
  EXPECT_EQ(After("percentage: 1.0", "percentage: 0.995"), "");
  EXPECT_EQ(
      After("      - name: train_and_validate\n",
            "      - {name: a, percentage: 0.005, tasks: [train]}\n      - name: a\n"),
      "plan.yaml:68: assigner.settings.task_groups[1].name is \"a\", as is a group before; names "
      "must differ");
  EXPECT_EQ(
      After("percentage: 1.0 ", "collaborators: [a] "),
      "plan.yaml:67: assigner.settings.task_groups[0].percentage is missing, expected the group's "
      "share of all collaborators, above 0, to 1\n"
      "plan.yaml:68: assigner.settings.task_groups[0].collaborators is unknown, expected one of "
      "name, percentage, tasks");
}

TEST(Complaint, OfGroupsThatNobodyWouldBeIn) {
  EXPECT_EQ(After("percentage: 1.0", "percentage: 0"),
            "plan.yaml:68: assigner.settings.task_groups[0].percentage is 0, expected more than 0, "
            "at most 1");
  PlanText text;
  text.Replace("RandomGroupedAssigner ", "StaticGroupedAssigner ")
      .Replace("percentage: 1.0 ", "collaborators: [] ");
  EXPECT_EQ(text.Complaints(),
            "plan.yaml:68: assigner.settings.task_groups[0].collaborators is empty, expected a "
            "collaborator");
}

// Only the aggregator knows how many there are; a site has the list of the day of the export.
TEST(Complaint, OfRoundsThatCouldNeverClose) {
  PlanText text;
  text.Replace("minimum_reporting: 1 ", "minimum_reporting: 3 ").Cols("collaborators: [a, b]");
  EXPECT_EQ(text.Complaints(), "");
  EXPECT_EQ(text.ComplaintsToRun(),
            "plan.yaml:98: straggler_handling_policy.settings.minimum_reporting is 3, but of the 2 "
            "collaborators in cols.yaml a round waits for 2; expected at most as many");
  EXPECT_EQ(text.Cols("collaborators: [a, b, c]").ComplaintsToRun(), "");
  text.Replace("    task_groups:\n", "    fraction: 0.5\n    task_groups:\n");
  EXPECT_EQ(text.Cols("collaborators: [a, b, c, d]").ComplaintsToRun(),
            "plan.yaml:99: straggler_handling_policy.settings.minimum_reporting is 3, but of the "
            "4 collaborators in cols.yaml a round waits for 2; expected at most as many");
  EXPECT_EQ(text.Cols("collaborators: []").ComplaintsToRun(), "") << "nobody has joined yet";
}

TEST(Complaint, OfAMinimumThatIsMoreThanThereAre) {
  PlanText text;
  text.Replace("    task_groups:\n", "    fraction: 0.5\n    minimum: 3\n    task_groups:\n");
  EXPECT_EQ(text.Cols("collaborators: [a, b, c]").ComplaintsToRun(), "");
  EXPECT_EQ(text.Cols("collaborators: [a, b]").ComplaintsToRun(),
            "plan.yaml:67: assigner.settings.minimum is 3, but cols.yaml has 2 collaborators; "
            "expected at most as many");
}

TEST(Complaint, OfStaticGroups) {
  PlanText text;
  text.Replace("RandomGroupedAssigner ", "StaticGroupedAssigner ")
      .Replace("percentage: 1.0 ", "collaborators: [one, one, a/b] ")
      .Cols("collaborators: [one, three]\n");
  EXPECT_EQ(
      text.Complaints(),
      "plan.yaml:67: assigner.settings.task_groups: three of cols.yaml is in no group, expected "
      "each collaborator in one group\n"
      "plan.yaml:68: assigner.settings.task_groups[0].collaborators has \"a/b\", which may only "
      "have letters, digits, '.', '-' and '_'\n"
      "plan.yaml:68: assigner.settings.task_groups[0].collaborators has one, who is already in the "
      "group train_and_validate; expected each collaborator in one group");
}

}  // namespace
}  // namespace fx
