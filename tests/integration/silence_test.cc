// Connections that break in any phase, go silent, are slow, refused or overtaken: the federation
// ends all the same, with the same model.
#include "core/base/file.h"
#include "rpc/bytes.h"
#include "tests/integration/disturbed.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

const std::string kUpload = "send train";

// All faults at the beginning of one step, one after the other.
void RunWith(const std::string& step, std::vector<Fault> faults, int occasion = 0) {
  Disturbed federation;
  federation.At(step, std::move(faults), occasion);
  federation.Run();
}

// In the hello of either side, in the server's certificates, in the client's, and after them.
TEST(Cut, InTheHandshake) {
  RunWith("ask", {CutAfter(Direction::kUp, 1), CutAfter(Direction::kDown, 1),
                  CutAfter(Direction::kDown, 800), CutAfter(Direction::kUp, 800),
                  CutAfter(Direction::kUp, 1400)});
}

TEST(Cut, InEachCallsFirstBytes) {
  for (const char* step : {"ask", "download", "send train"}) {
    SCOPED_TRACE(step);
    RunWith(step, {CutAfter(Direction::kUp, 10), CutAfter(Direction::kDown, 0)});
  }
}

TEST(Cut, InEachCallsAnswer) {
  for (const char* step : {"ask", "download", "send train"}) {
    SCOPED_TRACE(step);
    RunWith(step, {CutAfter(Direction::kDown, 60)});
  }
}

// ann has done her part of the round and waits; bob's part is to come.
TEST(Cut, InALongPoll) {
  Disturbed federation({}, {"ann", "bob"});
  federation.At("ask", {CutAfter(Direction::kDown, 0), CutAfter(Direction::kDown, 3000)}, 1);
  federation.Run();
}

TEST(Silence, ThatSwallowsTheAnswerToAQuestion) {
  for (const int occasion : {0, 1, 2}) {
    SCOPED_TRACE(occasion);
    Disturbed federation(ImpatientTimes(), {"ann", "bob"});
    federation.At("ask", {MuteDownAfter(Direction::kUp, 1)}, occasion);
    federation.Run();
  }
}

// The last answer says that the federation is over. The aggregator waits until it was heard.
TEST(Silence, ThatSwallowsTheFarewell) {
  Disturbed federation(ImpatientTimes());
  federation.At("ask", {MuteDownAfter(Direction::kUp, 1)}, 3);
  federation.Run();
}

// Nobody can know whether a goodbye arrived: the site leaves, and the aggregator does in the end.
TEST(Silence, ThatSwallowsTheGoodbye) {
  Disturbed federation(ImpatientTimes(), {"ann"}, 1);
  federation.At("goodbye", {MuteAfter(Direction::kUp, 0)});
  federation.Run();
}

// The silence may swallow the word that there is room for the last message too: that one is sent
// again, and nothing before it.
TEST(Silence, ThatSwallowsTheAcknowledgement) {
  Disturbed federation(ImpatientTimes());
  const std::uint64_t size = federation.model_size();
  federation.At(kUpload, {MuteDownAfter(Direction::kUp, size)});
  federation.Run();
  EXPECT_LE(federation.of(kUpload).up, size + size / 50 + kMessageBytes);
}

TEST(Silence, InTheMiddleOfATransfer) {
  for (const char* step : {"download", "send train"}) {
    SCOPED_TRACE(step);
    Disturbed federation(ImpatientTimes());
    const Direction direction = step == kUpload ? Direction::kUp : Direction::kDown;
    federation.At(step, {MuteAfter(direction, federation.model_size() / 2)});
    federation.Run();
  }
}

// The silent connection speaks again while its successor is at work: two connections bring bytes of
// one update.
TEST(Silence, ThatEndsTooLateDisturbsNobody) {
  Disturbed federation(ImpatientTimes());
  const std::uint64_t size = federation.model_size();
  federation.At(kUpload, {MuteAfter(Direction::kUp, size / 2)});
  federation.Meanwhile([&] {
    federation.proxy().WaitForConnections(2);
    federation.proxy().Release();
  });
  federation.Run();
}

TEST(Silence, OfAllConnectionsLastsUntilItEnds) {
  Disturbed federation(ImpatientTimes());
  federation.At(kUpload, [&] {
    federation.proxy().Treat({{.mute = true}}, true);
    federation.proxy().Play({CutAfter(Direction::kUp, federation.model_size() / 2)});
  });
  federation.Meanwhile([&] {
    federation.proxy().WaitForConnections(5);
    federation.proxy().Treat({{}});
  });
  federation.Run();
}

TEST(Trouble, ConnectionsThatAreRefusedAreTriedAgain) {
  Disturbed federation;
  federation.proxy().Treat({{.refuse = true}, {.refuse = true}, {.refuse = true}});
  federation.At(kUpload, [&] {
    federation.proxy().Treat({{.refuse = true}, {.refuse = true}});
    federation.proxy().CutAll();
  });
  federation.Run();
}

TEST(Trouble, AConnectionIsOvertakenByALaterOne) {
  Disturbed federation(ImpatientTimes());
  federation.proxy().Treat({{.overtaken = true}});
  federation.At(kUpload, [&] {
    federation.proxy().Treat({{.overtaken = true}, {.overtaken = true}});
    federation.proxy().Play({CutAfter(Direction::kUp, federation.model_size() / 3)});
  });
  federation.Run();
}

TEST(Trouble, ASlowConnectionIsNoReasonToGiveUp) {
  Disturbed federation;
  federation.proxy().Treat({{.delay_ms = 5, .bytes_per_second = 20'000'000}}, true);
  federation.Run();
}

}  // namespace
}  // namespace fx::test
