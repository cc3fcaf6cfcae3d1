#include "aggregator/server/upload_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "rpc/convert.h"
#include "tests/support/matchers.h"

namespace fx::aggregator {
namespace {

using federation::v1::UploadHeader;
using test::IsError;
using test::IsOk;

const CollaboratorName kAnn = {"ann"};
const std::string kUpdate(32, 'a');

class JudgeUploadTest : public testing::Test {
 protected:
  JudgeUploadTest() {
    view_.round = Round{3};
    view_.collecting = true;
    view_.tasks = {{{"train"}, std::nullopt}, {{"validate"}, std::nullopt}};
    header_.set_round(3);
    header_.set_task("train");
    header_.set_num_samples(5);
    header_.set_update_id(kUpdate);
    header_.set_size(rules_.map.size);
    header_.set_model_header(rules_.header);
  }

  Result<UploadTicket> Judge() const { return JudgeUpload(header_, kAnn, rules_, view_); }
  void Validates() {
    header_.set_task("validate");
    header_.clear_update_id();
    header_.clear_size();
    header_.clear_model_header();
  }

  UploadRules rules_ =
      MakeUploadRules({{.name = "w", .shape = {2, 3}}}, 1 << 20,
                      {{{"train"}, true}, {{"validate"}, false}, {{"tune"}, true}});
  RoundView view_;
  UploadHeader header_;
};

TEST_F(JudgeUploadTest, LetsAGoodTrainingResultThrough) {
  const auto ticket = Judge();
  ASSERT_THAT(ticket, IsOk());
  EXPECT_EQ(ticket->size, rules_.map.size);
  EXPECT_EQ(ticket->update.value, kUpdate);
  EXPECT_FALSE(ticket->already_accepted);
}

TEST_F(JudgeUploadTest, LetsAGoodValidationResultThrough) {
  Validates();
  auto* const metric = header_.add_metrics();
  metric->set_name("accuracy");
  metric->set_value(0.5);
  const auto ticket = Judge();
  ASSERT_THAT(ticket, IsOk());
  EXPECT_THAT(ticket->metrics, testing::ElementsAre(Metric{.name = "accuracy", .value = 0.5}));
}

TEST_F(JudgeUploadTest, KnowsWhatItHasAlready) {
  view_.tasks[{"train"}] = UpdateId{kUpdate};
  view_.collecting = false;
  const auto ticket = Judge();
  ASSERT_THAT(ticket, IsOk());
  EXPECT_TRUE(ticket->already_accepted);
}

TEST_F(JudgeUploadTest, RefusesAnotherResultOfTheSameTask) {
  view_.tasks[{"train"}] = UpdateId{std::string(32, 'b')};
  EXPECT_THAT(Judge(), IsError(ErrorCode::kAborted, "already has another result"));
}

TEST_F(JudgeUploadTest, RefusesARoundThatIsOver) {
  header_.set_round(2);
  EXPECT_THAT(Judge(), IsError(ErrorCode::kAborted, "round 2 is over"));
}

TEST_F(JudgeUploadTest, RefusesARoundThatIsClosed) {
  view_.collecting = false;
  EXPECT_THAT(Judge(), IsError(ErrorCode::kAborted, "round 3 is closed"));
}

TEST_F(JudgeUploadTest, RefusesATaskThatWasNotAssigned) {
  header_.set_task("tune");
  EXPECT_THAT(Judge(), IsError(ErrorCode::kInvalidArgument, "was not assigned to \"ann\""));
}

TEST_F(JudgeUploadTest, RefusesATrainingResultWithoutAModel) {
  header_.set_size(0);
  EXPECT_THAT(Judge(), IsError(ErrorCode::kInvalidArgument, "returns a model"));
}

TEST_F(JudgeUploadTest, RefusesAnUpdateIdThatIsNone) {
  for (const std::string& bad : {std::string(), std::string(31, 'a'), std::string(32, 'G'),
                                 std::string("../../../../../../../../../../etc")}) {
    header_.set_update_id(bad);
    EXPECT_THAT(Judge(), IsError(ErrorCode::kInvalidArgument, "is not an update id"));
  }
}

TEST_F(JudgeUploadTest, RefusesMoreBytesThanAnyoneMaySend) {
  header_.set_size(std::uint64_t{1} << 63);
  EXPECT_THAT(Judge(), IsError(ErrorCode::kInvalidArgument, "more than the 1048576"));
}

TEST_F(JudgeUploadTest, RefusesTooManyMetricsAndBadNames) {
  Validates();
  header_.add_metrics()->set_name("line\nbreak");
  EXPECT_THAT(Judge(), IsError(ErrorCode::kInvalidArgument, "is not a name for a metric"));
  header_.mutable_metrics(0)->set_name(std::string(kMaxMetricName + 1, 'x'));
  EXPECT_THAT(Judge(), IsError(ErrorCode::kInvalidArgument, "is not a name for a metric"));
  header_.mutable_metrics(0)->set_name("loss");
  header_.add_metrics()->set_name("loss");
  EXPECT_THAT(Judge(), IsError(ErrorCode::kInvalidArgument, "reported twice"));
  for (int i = 0; i < kMaxMetrics; ++i) header_.add_metrics();
  EXPECT_THAT(Judge(), IsError(ErrorCode::kInvalidArgument, "more than 64"));
}

TEST_F(JudgeUploadTest, LetsAFailureThroughThatHasNothingElseInIt) {
  header_ = UploadHeader();
  header_.set_round(3);
  header_.set_task("train");
  header_.set_failure("the loss is not finite: layer conv1");
  const auto ticket = Judge();
  ASSERT_THAT(ticket, IsOk());
  EXPECT_EQ(ticket->failure, "the loss is not finite: layer conv1");
  header_.set_round(2);
  EXPECT_THAT(Judge(), IsError(ErrorCode::kAborted, "round 2 is over"));
}

TEST_F(JudgeUploadTest, RefusesAFailureWithAResultOrWithWordsUnfitForALog) {
  header_.set_failure("no");
  EXPECT_THAT(Judge(), IsError(ErrorCode::kInvalidArgument, "failed, but has a result"));
  header_ = UploadHeader();
  header_.set_round(3);
  header_.set_task("train");
  for (const std::string& bad : {std::string("a\nb"), std::string(kMaxFailure + 1, 'x')}) {
    header_.set_failure(bad);
    EXPECT_THAT(Judge(), IsError(ErrorCode::kInvalidArgument, "the reason of a failure"));
  }
}

}  // namespace
}  // namespace fx::aggregator
