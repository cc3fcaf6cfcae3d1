// Transfers that are cut at chosen bytes go on where they were: at most one chunk is sent twice.
#include <array>
#include <thread>

#include "core/base/file.h"
#include "core/tensor/model_file.h"
#include "rpc/bytes.h"
#include "tests/integration/disturbed.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

// Where to cut, in thousandths of the file; 0 is before the first byte of anything. The file's last
// byte is some way behind 1000, for there is more on the wire than the file.
constexpr std::array<std::uint64_t, 6> kCuts = {0, 1, 100, 500, 900, 1000};

const std::string kUpload = "send train";
const std::string kDownload = "download";

// Bytes a transfer of `size` bytes may take on the wire if it is cut `cuts` times: a chunk each, a
// connection and its calls, and what TLS and HTTP/2 put around the bytes.
std::uint64_t Allowed(std::uint64_t size, std::uint64_t cuts) {
  constexpr std::uint64_t kConnection = 16U << 10;
  return size + size / 100 + kConnection + cuts * (kChunkBytes + kConnection);
}

TEST(Resume, AnUploadThatIsCutTakesUpWhereItWas) {
  for (const std::uint64_t cut : kCuts) {
    SCOPED_TRACE(cut);
    Disturbed federation;
    const std::uint64_t size = federation.model_size();
    federation.At(kUpload, {CutAfter(Direction::kUp, size * cut / 1000)});
    federation.Run();
    EXPECT_LE(federation.of(kUpload).up, Allowed(size, 1));
  }
}

TEST(Resume, ADownloadThatIsCutTakesUpWhereItWas) {
  for (const std::uint64_t cut : kCuts) {
    SCOPED_TRACE(cut);
    Disturbed federation;
    const std::uint64_t size = federation.model_size();
    federation.At(kDownload, {CutAfter(Direction::kDown, size * cut / 1000)});
    federation.Run();
    EXPECT_LE(federation.of(kDownload).down, Allowed(size, 1));
  }
}

TEST(Resume, AnUploadThatIsCutAgainAndAgainCostsAChunkEachTime) {
  Disturbed federation;
  const std::uint64_t size = federation.model_size();
  federation.At(kUpload, std::vector<Fault>(5, CutAfter(Direction::kUp, size / 5)));
  federation.Run();
  EXPECT_LE(federation.of(kUpload).up, Allowed(size, 5));
}

TEST(Resume, AnUploadIsTakenUpByTheNextAggregator) {
  Disturbed federation;
  const std::uint64_t size = federation.model_size();
  federation.At(kUpload, {CutAfter(Direction::kUp, size / 2)});
  federation.Meanwhile([&] {
    federation.proxy().WaitForFaults(1);
    federation.RestartAggregator();
  });
  federation.Run();
  EXPECT_LE(federation.of(kUpload).up, Allowed(size, 2));
}

// The page cache of a machine that lost its power may have vouched for nothing.
TEST(Resume, AnUpdateThatIsDamagedWhereItWaitsIsSentAgainAndTheRunGoesOn) {
  Disturbed federation(ImpatientTimes());
  const std::uint64_t size = federation.model_size();
  federation.At(kUpload, [&] {
    federation.proxy().Treat({{.mute = true}}, true);
    federation.proxy().Play({CutAfter(Direction::kUp, size / 2)});
  });
  federation.Meanwhile([&] {
    federation.proxy().WaitForFaults(1);
    const std::vector<Path> files = Must(ListFolder(federation.Spool()));
    ASSERT_EQ(files.size(), 1U);
    std::string bytes = Must(ReadFile(files[0]));
    bytes[1U << 16] ^= 1;  // the last bits of a float
    Must(AtomicWrite(files[0], bytes));
    federation.proxy().Treat({{}});
    federation.proxy().Release();
  });
  federation.Run();
  EXPECT_GT(federation.of(kUpload).up, size + size / 2);
}

TEST(Resume, ADownloadIsTakenUpByTheNextProcess) {
  const TestFederation federation({"ann"}, 150'000);
  const RunningAggregator aggregator(federation.Options());
  FaultProxy proxy(aggregator.port());
  const TempDir folder;
  const Path to = folder.path() / "model.fxm";
  const auto download = [&](const std::stop_token& stop) -> Status {
    auto options = federation.LinkOptions("ann", proxy.port());
    options.stop = stop;
    const auto link =
        collaborator::MakeGrpcLink(std::move(options), federation.pki.CollaboratorBundle("ann"));
    const auto tasks = TRY(link->GetTasks());
    return link->Download(tasks->model, tasks->model_size, to);
  };
  const std::uint64_t size = MapModelFile(ParameterLayout(federation.plan.task_runner)).size;
  std::stop_source stop;
  proxy.Play({MuteAfter(Direction::kDown, size / 2)});
  const std::jthread killer([&] {
    proxy.WaitUntilPlayed();
    stop.request_stop();
  });
  EXPECT_THAT(download(stop.get_token()), IsError(ErrorCode::kCancelled, "stopped"));
  EXPECT_FALSE(Exists(to));
  EXPECT_THAT(download({}), IsOk());
  EXPECT_LE(proxy.forwarded(Direction::kDown), Allowed(size, 1));
}

}  // namespace
}  // namespace fx::test
