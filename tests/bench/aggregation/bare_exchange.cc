#include "tests/bench/aggregation/bare_exchange.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstring>
#include <mutex>
#include <span>
#include <thread>

#include "core/base/format.h"
#include "rpc/bytes.h"
#include "rpc/channel_options.h"
#include "rpc/credentials.h"
#include "rpc/raw_call.h"
#include "tests/support/must.h"

namespace fx::bench {
namespace {

constexpr std::size_t kBareChunk = 1 << 20;
constexpr const char* kDown = "/bare/Down";
constexpr const char* kUp = "/bare/Up";

using Chunk = std::span<const float>;

// The model, and the sum that becomes the next one.
class Totals {
 public:
  explicit Totals(const Size& size)
      : clients_(size.collaborators),
        model_(static_cast<std::size_t>(size.parameters), 0.5F),
        sum_(model_.size()),
        locks_(sum_.size() / kStripe + 1) {}

  std::span<const std::byte> model() const { return std::as_bytes(std::span(model_)); }

  // Bytes of one client from `offset` on; a value may be cut in two only between messages of a
  // multiple of its size, which all are.
  void Add(std::size_t offset, std::span<const std::byte> bytes) {
    std::size_t at = offset / sizeof(float);
    const auto* values = reinterpret_cast<const float*>(bytes.data());
    for (std::size_t left = bytes.size() / sizeof(float); left > 0;) {
      const std::size_t n = std::min(left, kStripe - at % kStripe);
      const std::lock_guard lock(locks_[at / kStripe]);
      for (std::size_t i = 0; i < n; ++i) sum_[at + i] += values[i];
      at += n;
      values += n;
      left -= n;
    }
  }

  void OneDone() {
    const std::lock_guard lock(done_);
    if (++finished_ % clients_ != 0) return;
    const float scale = 1.0F / static_cast<float>(clients_);
    for (std::size_t i = 0; i < sum_.size(); ++i) model_[i] = sum_[i] * scale;
    std::ranges::fill(sum_, 0.0F);
  }

 private:
  static constexpr std::size_t kStripe = kBareChunk / sizeof(float);
  const int clients_;
  std::vector<float> model_, sum_;
  std::vector<std::mutex> locks_;
  std::mutex done_;
  int finished_ = 0;
};

class Down final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Down(const Totals& totals) : left_(totals.model()) { StartRead(&request_); }
  void OnReadDone(bool) override { Next(); }
  void OnWriteDone(bool) override { Next(); }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (left_.empty()) return Finish(grpc::Status::OK);
    const auto chunk = left_.first(std::min(kBareChunk, left_.size()));
    left_ = left_.subspan(chunk.size());
    buffer_ = WrapBytes(chunk, nullptr);
    StartWrite(&buffer_);
  }

  std::span<const std::byte> left_;
  grpc::ByteBuffer request_, buffer_;
};

class Up final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Up(Totals& totals) : totals_(totals) { StartRead(&chunk_); }
  void OnReadDone(bool ok) override {
    if (!ok) {
      totals_.OneDone();
      return Finish(grpc::Status::OK);
    }
    std::vector<grpc::Slice> slices;
    FX_CHECK(chunk_.Dump(&slices).ok());
    for (const grpc::Slice& slice : slices) {
      const auto bytes = std::as_bytes(std::span(slice.begin(), slice.size()));
      Feed(bytes);
    }
    StartRead(&chunk_);
  }
  void OnDone() override { delete this; }

 private:
  // Slices of the wire may cut a value in two: its bytes wait for the rest.
  void Feed(std::span<const std::byte> bytes) {
    if (held_ > 0) {
      const std::size_t n = std::min(sizeof(float) - held_, bytes.size());
      std::memcpy(cut_.data() + held_, bytes.data(), n);
      held_ += n;
      bytes = bytes.subspan(n);
      if (held_ < sizeof(float)) return;
      totals_.Add(offset_, cut_);
      offset_ += sizeof(float);
      held_ = 0;
    }
    const std::size_t whole = bytes.size() / sizeof(float) * sizeof(float);
    totals_.Add(offset_, bytes.first(whole));
    offset_ += whole;
    held_ = bytes.size() - whole;
    std::memcpy(cut_.data(), bytes.data() + whole, held_);
  }

  Totals& totals_;
  std::size_t offset_ = 0, held_ = 0;
  alignas(float) std::array<std::byte, sizeof(float)> cut_{};
  grpc::ByteBuffer chunk_;
};

class Service final : public grpc::CallbackGenericService {
 public:
  explicit Service(Totals& totals) : totals_(totals) {}
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    if (context->method() == kDown) return new Down(totals_);
    return new Up(totals_);
  }

 private:
  Totals& totals_;
};

// One client's round: the model into memory of its own, and that back.
void Exchange(const std::shared_ptr<grpc::Channel>& channel, std::vector<std::byte>& model) {
  {
    RawCall call(channel, kDown, {});
    static const std::byte kAsk{1};
    call.WriteLast(WrapBytes({&kAsk, 1}, nullptr));
    std::size_t offset = 0;
    for (grpc::ByteBuffer chunk; call.Read(chunk);) {
      std::vector<grpc::Slice> slices;
      FX_CHECK(chunk.Dump(&slices).ok());
      for (const grpc::Slice& slice : slices) {
        std::memcpy(model.data() + offset, slice.begin(), slice.size());
        offset += slice.size();
      }
    }
    FX_CHECK(call.Finish().ok() && offset == model.size());
  }
  RawCall call(channel, kUp, {});
  for (std::span<const std::byte> left = model; !left.empty();) {
    const auto chunk = left.first(std::min(kBareChunk, left.size()));
    left = left.subspan(chunk.size());
    const auto message = WrapBytes(chunk, nullptr);
    FX_CHECK(left.empty() ? call.WriteLast(message) : call.Write(message));
  }
  FX_CHECK(call.Finish().ok());
}

}  // namespace

Lap RunBare(const Size& size, int rounds, const test::TestPki& pki,
            const std::vector<std::string>& server) {
  Child child(server);
  Lap lap;
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin{};
  int round = -1;  // the warm-up is round 0
  const auto between_rounds = [&]() noexcept {
    const Clock::time_point now = Clock::now();
    if (round >= 1) lap.seconds.push_back(std::chrono::duration<double>(now - begin).count());
    if (round == 0) {
      lap.server_cpu = -child.CpuSeconds();
      lap.client_cpu = -OwnCpuSeconds();
    }
    ++round;
    begin = Clock::now();
  };
  std::barrier barrier(size.collaborators, between_rounds);
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < size.collaborators; ++i) {
      clients.emplace_back([&, i] {
        const auto channel = grpc::CreateCustomChannel(
            format("{}:{}", kHost, child.port()),
            MakeChannelCredentials(pki.CollaboratorBundle(NameOf(i).value)),
            TunedChannelArguments());
        std::vector<std::byte> model(static_cast<std::size_t>(size.parameters) * sizeof(float));
        for (int r = 0; r <= rounds; ++r) {
          barrier.arrive_and_wait();
          Exchange(channel, model);
        }
        barrier.arrive_and_wait();
      });
    }
  }
  lap.server_cpu += child.CpuSeconds();
  lap.client_cpu += OwnCpuSeconds();
  lap.server = child.Finish();
  return lap;
}

void ServeBare(const Size& size, const Path& cert_folder) {
  Totals totals(size);
  Service service(totals);
  ServerIdentity identity(test::Must(LoadAggregatorCredentials(cert_folder, kHost)), true);
  grpc::ServerBuilder builder;
  TuneServer(builder);
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", identity.Credentials(), &port);
  builder.RegisterCallbackGenericService(&service);
  const auto running = builder.BuildAndStart();
  FX_CHECK(running != nullptr);
  SayPort(static_cast<std::uint16_t>(port));
  WaitForEndOfInput();
  running->Shutdown();
}

}  // namespace fx::bench
