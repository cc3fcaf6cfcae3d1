// Whoever reaches the port may do what they like: those who mean well are served meanwhile, memory
// stays bounded, the log stays readable, and nothing is left of it afterwards.
#include <sys/resource.h>
#include <zlib.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "aggregator/server/listener.h"
#include "core/base/log.h"
#include "core/base/log_throttle.h"
#include "rpc/aggregator.grpc.pb.h"
#include "rpc/channel_options.h"
#include "rpc/grpc_log.h"
#include "tests/integration/federation.h"
#include "tests/integration/hostile_peer.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

using aggregator::Outcome;
using testing::HasSubstr;

constexpr std::size_t kMiB = 1U << 20;
// Instrumented, everything takes several times the memory.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kInstrumented = true;
#else
constexpr bool kInstrumented = false;
#endif
constexpr int kSoonMs = 20'000;

std::size_t OpenFiles() {
  return Must(ListFolder("/proc/self/fd")).size();
}

// Of this process, both ends of every connection included, since the last ForgetPeak.
std::size_t PeakMemory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib * 1024;
  }
  return 0;
}

void ForgetPeak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

// "mal" holds a good certificate.
class Hostile : public testing::Test {
 protected:
  Hostile() {
    Must(AddLogFile(log_) ? Ok() : Fail(ErrorCode::kInternal, log_));
    InstallGrpcLog(GrpcRole::kServer);
    aggregator::RaiseConnectionLimit();
    {  // what gRPC opens once for the process
      const RunningAggregator first(federation_.Options());
      EXPECT_TRUE(Ask(federation_.Connect("ann", first.port()), HeaderOf(federation_, "ann")).ok());
    }
    files_before_ = OpenFiles();
    aggregator_.emplace(federation_.Options());
    ForgetPeak();
    memory_before_ = PeakMemory();
  }

  std::uint16_t port() const { return aggregator_->port(); }

  std::vector<HostilePeer>& Peers(int count) {
    for (int i = 0; i < count; ++i) peers_.emplace_back(port());
    return peers_;
  }

  HostilePeer Authenticated() {
    HostilePeer peer(port());
    EXPECT_TRUE(peer.HandShake(federation_.pki.CollaboratorBundle("mal")));
    return peer;
  }

  // The federation runs to its end, and what the attack took is given back.
  void ExpectServed(std::size_t most_memory) {
    {
      std::vector<std::jthread> sites;
      for (const CollaboratorName& who : federation_.plan.authorized) {
        sites.emplace_back(
            [&, who] { EXPECT_THAT(Collaborate(federation_, who.value, port(), [] {}), IsOk()); });
      }
      EXPECT_THAT(aggregator_->Wait(), IsOkAndHolds(Outcome::kFinished));
    }
    EXPECT_TRUE(kInstrumented || PeakMemory() - memory_before_ < most_memory)
        << PeakMemory() - memory_before_ << " bytes";
    aggregator_.reset();
    peers_.clear();
    const auto patience = std::chrono::steady_clock::now() + std::chrono::milliseconds(kSoonMs);
    while (OpenFiles() > files_before_ && std::chrono::steady_clock::now() < patience) {
      std::this_thread::yield();
    }
    EXPECT_LE(OpenFiles(), files_before_);
  }

  std::ptrdiff_t LinesLogged() const { return std::ranges::count(Must(ReadFile(log_)), '\n'); }

  TempDir folder_;
  const std::string log_ = (folder_.path() / "log").string();
  TestFederation federation_{{"ann", "bob", "mal"}};
  std::size_t files_before_ = 0;
  std::size_t memory_before_ = 0;
  std::optional<RunningAggregator> aggregator_;
  std::vector<HostilePeer> peers_;
};

TEST_F(Hostile, ConnectionsThatSayNothingOrLittleAreClosed) {
  const std::string hello = ClientHello();
  Peers(200);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_TRUE(peers_[i].Send(std::string_view(hello).substr(0, hello.size() / 2)));
  }
  HostilePeer half_way = Authenticated();  // then never opens HTTP/2
  HostilePeer slow(port());
  bool closed = false;
  for (std::size_t i = 0; i + 1 < hello.size() && !closed; ++i) {
    closed = !slow.Send(hello.substr(i, 1)) || slow.IsClosedWithin(kHandshakeMs / 100);
  }
  EXPECT_TRUE(closed);
  EXPECT_TRUE(half_way.IsClosedWithin(kSoonMs));
  for (HostilePeer& peer : peers_) EXPECT_TRUE(peer.IsClosedWithin(kSoonMs));
  ExpectServed(128 * kMiB);
}

TEST_F(Hostile, StrangersByTheHundredDelayNobodyAndDoNotFillTheLog) {
  TestPki strangers;
  strangers.AddCollaborator("ann");
  const std::string hello = ClientHello();
  Peers(300);
  for (HostilePeer& peer : Peers(100)) peer.Send(hello.substr(0, 100));
  for (int i = 0; i < 200; ++i) {
    peers_.emplace_back(port()).HandShake(i % 2 == 0 ? PemBundle()
                                                     : strangers.CollaboratorBundle("ann"));
  }
  for (int i = 0; i < 100; ++i) peers_.emplace_back(port()).Send("GET / HTTP/1.1\r\n\r\n");
  for (HostilePeer& peer : std::span(peers_).last(300)) EXPECT_TRUE(peer.IsClosedWithin(kSoonMs));
  EXPECT_THAT(Must(ReadFile(log_)), HasSubstr("it showed no certificate"));
  EXPECT_LE(LinesLogged(), 3 * LogThrottle::kLinesAMinute);
  ExpectServed(256 * kMiB);
}

TEST_F(Hostile, RubbishAfterAGoodHandshakeEndsTheConnection) {
  const std::vector<std::string> rubbish = {
      std::string(100'000, '\xFF'),
      Http2Preface() + Http2Frame(1, 4, 1, std::string(1'000, '\xFF')),  // no HPACK
      Http2Preface() + Http2Frame(9, 0, 1, "x"),                         // nothing to continue
      Http2Preface() + Http2Frame(8, 0, 0, std::string(4, '\0')),        // a window of nothing
  };
  for (const std::string& bytes : rubbish) {
    HostilePeer peer = Authenticated();
    peer.Send(bytes);
    EXPECT_TRUE(peer.IsClosedWithin(kSoonMs)) << bytes.size();
  }
  ExpectServed(64 * kMiB);
}

// What zlib makes of so many zeros, in the format of grpc-encoding "gzip".
std::string Bomb(std::size_t zeros) {
  z_stream stream{};
  FX_CHECK(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string block(kMiB, '\0');
  std::string bomb(zeros / 500, '\0');
  stream.next_out = reinterpret_cast<Bytef*>(bomb.data());
  stream.avail_out = static_cast<uInt>(bomb.size());
  for (std::size_t done = 0; done < zeros; done += block.size()) {
    stream.next_in = reinterpret_cast<Bytef*>(block.data());
    stream.avail_in = static_cast<uInt>(block.size());
    FX_CHECK(deflate(&stream, done + block.size() < zeros ? Z_NO_FLUSH : Z_FINISH) >= Z_OK);
  }
  bomb.resize(stream.total_out);
  deflateEnd(&stream);
  return bomb;
}

TEST_F(Hostile, AMessageThatWouldInflateIsNotInflated) {
  const std::string bomb = Bomb(60 * kMiB);
  ASSERT_LT(bomb.size(), 65'000U);  // one window of HTTP/2
  for (int i = 0; i < 8; ++i) {
    peers_.push_back(Authenticated());
    peers_.back().Send(Http2Preface() + Http2Call("Upload", {{"grpc-encoding", "gzip"}}) +
                       Http2Message(bomb, true));
  }
  ExpectServed(48 * kMiB);
}

TEST_F(Hostile, HeadersWithoutEndAreNotKept) {
  for (int i = 0; i < 8; ++i) {
    HostilePeer peer = Authenticated();
    std::vector<Http2Header> headers;
    for (int j = 0; j < 64; ++j)
      headers.emplace_back("x-" + std::to_string(j), std::string(65'536, 'x'));
    peer.Send(Http2Preface() + Http2Call("GetTasks", headers));
    peers_.push_back(std::move(peer));
  }
  ExpectServed(80 * kMiB);  // what gRPC reads ahead of each connection, up to 4 MiB, included
}

TEST_F(Hostile, MessagesThatAreTooLargeAreNotRead) {
  for (int i = 0; i < 8; ++i) {
    peers_.push_back(Authenticated());
    const std::string claim("\0\xFF\xFF\xFF\xFF", 5);  // four gigabytes, not compressed
    peers_.back().Send(Http2Preface() + Http2Call("Upload", {}) + Http2Frame(0, 0, 1, claim));
    peers_.back().Send(Http2Frame(0, 0, 1, std::string(16'000, 'x')));
  }
  ExpectServed(48 * kMiB);
}

TEST_F(Hostile, AnUploadWithoutEndIsEnded) {
  const auto channel = federation_.Connect("mal", port());
  HandMadeUpload upload = GoodUpload(federation_, "mal");
  upload.chunks[0].pop_back();
  upload.chunks.insert(upload.chunks.end(), 200, std::string(100'000, '\0'));
  const grpc::Status status = Send(channel, upload);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr("more bytes came than"));
  ExpectServed(128 * kMiB);  // this end's twenty megabytes included, a few times over
}

TEST_F(Hostile, AnUploadOfSingleBytesKeepsNobodyWaiting) {
  HandMadeUpload upload = GoodUpload(federation_, "mal");
  const std::string bytes = upload.chunks[0];
  upload.chunks.clear();
  for (const char byte : bytes.substr(0, bytes.size() / 2)) upload.chunks.emplace_back(1, byte);
  const auto channel = federation_.Connect("mal", port());
  const grpc::Status status = Send(channel, upload);
  EXPECT_FALSE(status.ok());
  ExpectServed(64 * kMiB);
}

TEST_F(Hostile, ThousandsOfCallsOnOneConnectionAreAllAnswered) {
  constexpr int kCalls = 3'000;
  struct Call {
    grpc::ClientContext context;
    wire::GetTasksRequest request;
    wire::GetTasksResponse response;
  };
  std::vector<Call> calls(kCalls);
  std::mutex mutex;
  std::condition_variable changed;
  int answered = 0;
  auto stub = wire::Aggregator::NewStub(federation_.Connect("mal", port()));
  for (Call& call : calls) {
    *call.request.mutable_header() = HeaderOf(federation_, "mal");
    stub->async()->GetTasks(&call.context, &call.request, &call.response, [&](const grpc::Status&) {
      const std::lock_guard lock(mutex);
      if (++answered == kCalls) changed.notify_all();
    });
  }
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::milliseconds(kSoonMs),
                                 [&] { return answered == kCalls; }));
  }
  calls.clear();
  stub.reset();  // and with both the connection
  ExpectServed(128 * kMiB);
}

// The last model of a federation in which a result of "mal" is sent again and again.
std::string LastModelWithReplays(int replays) {
  const TestFederation federation({"ann", "mal"});
  RunningAggregator aggregator(federation.Options());
  const auto channel = federation.Connect("mal", aggregator.port());
  const HandMadeUpload upload = GoodUpload(federation, "mal");
  EXPECT_TRUE(Send(channel, upload).ok());
  HandMadeUpload again = upload;
  again.chunks.clear();  // the aggregator has them
  for (int i = 0; i < replays; ++i) EXPECT_TRUE(Send(channel, again).ok());
  const auto replay_after_each = [&] {
    for (int i = 0; i < replays; ++i) static_cast<void>(Send(channel, again));
  };
  std::vector<std::jthread> sites;
  for (const char* const name : {"ann", "mal"}) {
    sites.emplace_back([&, name] {
      EXPECT_THAT(Collaborate(federation, name, aggregator.port(), replay_after_each), IsOk());
    });
  }
  EXPECT_THAT(aggregator.Wait(), IsOkAndHolds(Outcome::kFinished));
  return Must(ReadFile(federation.LastModel()));
}

TEST(Replays, OfAnAcceptedResultAndOfAnOldRoundsCountNothing) {
  EXPECT_EQ(LastModelWithReplays(20), LastModelWithReplays(0));
}

TEST_F(Hostile, AShortageOfDescriptorsEndsWithIt) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit few = {.rlim_cur = 256, .rlim_max = limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  // Both ends take theirs from the same 256, until there is none left for either.
  constexpr std::size_t kMargin = 8;  // looking takes some too
  while (OpenFiles() < static_cast<std::size_t>(aggregator::MostConnections()) + kMargin) {
    peers_.emplace_back(port());
  }
  std::vector<HostilePeer> turned_away;
  for (int i = 0; i < 20; ++i) turned_away.emplace_back(port());
  for (HostilePeer& peer : turned_away) EXPECT_TRUE(peer.IsClosedWithin(kHandshakeMs / 2));
  turned_away.clear();
  peers_.clear();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_THAT(Must(ReadFile(log_)), HasSubstr("turned a connection away"));
  ExpectServed(128 * kMiB);
}

}  // namespace
}  // namespace fx::test
