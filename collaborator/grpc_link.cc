#include "collaborator/grpc_link.h"

#include <grpcpp/create_channel.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "collaborator/backoff.h"
#include "collaborator/partial_model.h"
#include "collaborator/stay.h"
#include "core/base/format.h"
#include "core/base/host_port.h"
#include "core/base/log.h"
#include "core/tensor/model_file.h"
#include "pki/tls_probe.h"
#include "plan/model_layout.h"
#include "rpc/aggregator.grpc.pb.h"
#include "rpc/bytes.h"
#include "rpc/channel_options.h"
#include "rpc/convert.h"
#include "rpc/credentials.h"
#include "rpc/raw_call.h"
#include "rpc/status.h"

namespace fx::collaborator {
namespace {

using std::chrono::milliseconds;

constexpr auto kSayAgain = std::chrono::minutes(1);

// What an attempt came to: how the call ended, or what went wrong on this side.
using Attempt = Result<grpc::Status>;

std::shared_ptr<grpc::Channel> MakeChannel(const GrpcLinkOptions& options,
                                           const PemBundle& credentials) {
  const std::string place = HostAndPort(options.address, options.port);
  grpc::ChannelArguments arguments = TunedChannelArguments(options.times.heartbeat);
  if (options.proxy) ThroughProxy(*options.proxy, place, arguments);
  return grpc::CreateCustomChannel(
      options.proxy ? options.proxy->Place() : place,
      options.tls ? MakeChannelCredentials(credentials) : grpc::InsecureChannelCredentials(),
      arguments);
}

// What ends a transfer with the site's hours; it is taken up again later.
grpc::Status HoursAreOver() {
  return {grpc::StatusCode::UNAVAILABLE, "this site's hours are over"};
}

// The call may succeed if it is made again, as far as its status tells. kUnknown is what gRPC says
// of a connection that broke in some ways; the aggregator never does.
bool WorthAnotherTry(grpc::StatusCode code) {
  return code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::CANCELLED ||
         code == grpc::StatusCode::DEADLINE_EXCEEDED ||
         code == grpc::StatusCode::RESOURCE_EXHAUSTED || code == grpc::StatusCode::UNKNOWN;
}

// The codes with which a Link says what became of a call are the aggregator's: a fault of our own
// files has another.
Error OfOurs(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kNotFound:
    case ErrorCode::kAborted:
    case ErrorCode::kFailedPrecondition:
    case ErrorCode::kUnavailable:
    case ErrorCode::kDeadlineExceeded:
      return Error(ErrorCode::kInternal, error.OneLine()).Hint(error.hint());
    default:
      return error;
  }
}

template <typename T>
Result<T> OfOurs(Result<T> result) {
  if (!result) return Fail(OfOurs(result.error()));
  return result;
}

std::chrono::system_clock::time_point Deadline(std::int64_t ms) {
  return std::chrono::system_clock::now() + milliseconds(ms);
}

Error Stopped() {
  return Error(ErrorCode::kCancelled, "stopped while talking to the aggregator");
}

wire::UploadHeader MakeUploadHeader(const wire::Header& header, const TaskResult& result) {
  wire::UploadHeader upload;
  *upload.mutable_header() = header;
  upload.set_round(Number(result.round));
  upload.set_task(result.task.value);
  upload.set_num_samples(result.num_samples);
  for (const Metric& metric : result.metrics) {
    wire::Metric* to = upload.add_metrics();
    to->set_name(metric.name);
    to->set_value(metric.value);
  }
  upload.set_update_id(result.update.value);
  upload.set_size(result.size);
  return upload;
}

class GrpcLink final : public Link {
 public:
  GrpcLink(GrpcLinkOptions options, PemBundle credentials)
      : options_(std::move(options)),
        credentials_(std::move(credentials)),
        header_(MakeHeader({.aggregator_uuid = options_.aggregator_uuid,
                            .federation_uuid = options_.federation_uuid,
                            .plan_digest = options_.plan_digest},
                           options_.name)),
        backoff_(options_.reconnect_interval_ms,
                 RandomStream(HashName(options_.name.value), "backoff")) {
    if (!options_.limits) {
      options_.limits = std::make_shared<SiteLimits>(0, WeeklyHours(), RealWorld(options_.stop));
    }
    Connect();
  }

  Result<std::optional<TaskAssignment>> GetTasks() override;
  Status Download(const ModelId& model, std::uint64_t size, const Path& to) override;
  Status Send(const TaskResult& result) override;
  Status Report(const TaskFailure& failure) override;
  void Rest() override { Connect(); }  // a new channel is silent until it is used
  void SayGoodbye() override;

 private:
  void Connect();
  void BeThere();
  bool TakeRenewed();
  Status Persist(const std::function<Attempt()>& attempt);
  Status KeepHours();
  Status WaitToRetry(const Error& error);
  Result<std::string> WhyNotReachable(const Error& error) const;
  std::string Place() const { return format("{}:{}", options_.address, options_.port); }
  Attempt TryDownload(const ModelId& model, std::uint64_t size, const Path& part, bool& right);
  Attempt TrySend(wire::UploadHeader header, const std::shared_ptr<const ModelFile>& file);

  GrpcLinkOptions options_;
  PemBundle credentials_;
  const wire::Header header_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<wire::Aggregator::Stub> stub_;
  std::optional<Stay> stay_;  // since a call went well on this channel
  Backoff backoff_;
  LinkGauges unwatched_;
  LinkGauges& gauges_ = options_.gauges == nullptr ? unwatched_ : *options_.gauges;
  std::optional<std::chrono::steady_clock::time_point> said_;  // when the wait was last mentioned
  std::string last_trouble_;
};

void GrpcLink::Connect() {
  stay_.reset();
  channel_ = MakeChannel(options_, credentials_);
  stub_ = wire::Aggregator::NewStub(channel_);
}

void GrpcLink::BeThere() {
  constexpr std::int64_t kLeastMs = 1000;
  constexpr std::int64_t kDayMs = 86'400'000;
  if (stay_) return;
  // A proxy that no longer takes the password is for the next call to find out, once.
  const bool asked = options_.proxy && !options_.proxy->user.empty();
  const std::int64_t least = asked ? kDayMs : kLeastMs;
  wire::StayRequest request;
  *request.mutable_header() = header_;
  stay_.emplace(channel_, std::move(request), std::max(options_.reconnect_interval_ms, least));
}

// A connection keeps the certificate it was made with, so a new one needs a new connection.
bool GrpcLink::TakeRenewed() {
  auto fresh = options_.renewed ? options_.renewed() : std::nullopt;
  if (!fresh) return false;
  credentials_ = *std::move(fresh);
  Connect();
  return true;
}

// Repeats `attempt` until it succeeds or cannot.
Status GrpcLink::Persist(const std::function<Attempt()>& attempt) {
  for (;;) {
    if (options_.stop.stop_requested()) return Fail(Stopped());
    TRY(KeepHours());
    TakeRenewed();
    const grpc::Status status = TRY(OfOurs(attempt()));
    gauges_.lost = !status.ok() && channel_->GetState(false) != GRPC_CHANNEL_READY;
    if (status.ok()) break;
    const Error error = FromGrpc(status);
    if (options_.stop.stop_requested()) return Fail(Stopped());
    Status again = Fail(error);
    const bool retry = WorthAnotherTry(status.error_code());
    if (retry) again = options_.limits->Open() ? WaitToRetry(error) : Ok();
    // The old certificate may have expired, or been taken back, while a call was waiting with it.
    if (!again && (again.error().code() != ErrorCode::kUnauthenticated || !TakeRenewed())) {
      return again;
    }
  }
  if (said_) LogInfo("the aggregator answers again");
  said_.reset();
  backoff_.Reset();
  BeThere();
  return Ok();
}

Status GrpcLink::KeepHours() {
  if (options_.limits->Open()) return Ok();
  Rest();
  return options_.limits->WaitUntilOpen();
}

Status GrpcLink::WaitToRetry(const Error& error) {
  const auto now = std::chrono::steady_clock::now();
  const bool due = !said_ || now - *said_ >= kSayAgain;
  if (due || error.message() != last_trouble_) {
    const bool connected = channel_->GetState(false) == GRPC_CHANNEL_READY;
    const std::string reason = connected ? error.message() : TRY(WhyNotReachable(error));
    if (due) {
      const char* const what = connected ? "cannot take the call now" : "is not reachable yet";
      LogWarning(format("the aggregator {} {} ({}); waiting", Place(), what, reason));
      said_ = now;
    }
    last_trouble_ = error.message();
  }
  if (!WaitFor(backoff_.NextMs(), options_.stop)) return Fail(Stopped());
  // A channel that lost its peer may take 20 s to look again (measured with gRPC 1.51, whatever its
  // back-off is set to); a new one looks at once, and Backoff says how often.
  if (channel_->GetState(false) != GRPC_CHANNEL_READY) Connect();
  return Ok();
}

// What to tell people about a call that failed. An error: waiting cannot help.
Result<std::string> GrpcLink::WhyNotReachable(const Error& error) const {
  if (!options_.tls) return error.message();
  const Status probe = ProbeTls(options_.address, options_.port, credentials_,
                                milliseconds(options_.times.probe_ms), options_.proxy);
  if (probe) return error.message();
  if (probe.error().code() != ErrorCode::kUnavailable) return Fail(probe.error());
  const std::string& reason = probe.error().message();
  const std::string prefix = Place() + ": ";
  return reason.starts_with(prefix) ? reason.substr(prefix.size()) : reason;
}

Result<std::optional<TaskAssignment>> GrpcLink::GetTasks() {
  wire::GetTasksRequest request;
  *request.mutable_header() = header_;
  wire::GetTasksResponse response;
  bool nothing_yet = false;
  TRY(Persist([&]() -> Attempt {
    grpc::ClientContext context;
    const std::int64_t patience = options_.times.long_poll_ms;
    context.set_deadline(
        Deadline(std::min(patience, options_.limits->MsUntilClose().value_or(patience))));
    const std::stop_callback cancel(options_.stop, [&] { context.TryCancel(); });
    const grpc::Status status = stub_->GetTasks(&context, request, &response);
    // Without a connection, silence says nothing about the tasks.
    nothing_yet = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED &&
                  channel_->GetState(false) == GRPC_CHANNEL_READY;
    return nothing_yet ? grpc::Status::OK : status;
  }));
  if (nothing_yet) return std::nullopt;
  TaskAssignment assignment{.round = Round{response.round()},
                            .tasks = {},
                            .model = ModelId{response.model_id()},
                            .model_size = response.model_size(),
                            .quit = response.quit(),
                            .counted = UpdateId{response.counted_update()}};
  for (const std::string& task : response.tasks()) assignment.tasks.push_back(TaskName{task});
  return assignment;
}

Status GrpcLink::Download(const ModelId& model, std::uint64_t size, const Path& to) {
  if (size > kMaxModelBytes || (options_.model_size != 0 && size != options_.model_size)) {
    return Fail(ErrorCode::kInvalidArgument,
                format("the aggregator announces a model of {} bytes, expected {}", size,
                       options_.model_size));
  }
  const Path part = to.string() + ".part";
  // Once more if the bytes are wrong: the start of them may be what a power cut left.
  for (const bool last : {false, true}) {
    bool right = false;
    TRY(Persist([&] { return TryDownload(model, size, part, right); }));
    if (right) return OfOurs(RenameFile(part, to));
    TRY(OfOurs(RemoveIfExists(part)));
    if (last) break;
  }
  return Fail(ErrorCode::kDataLoss,
              format("the model received is not {}, which was announced", model.value));
}

// `right`, after an attempt that went well: the bytes are those of the model.
Attempt GrpcLink::TryDownload(const ModelId& model, std::uint64_t size, const Path& part,
                              bool& right) {
  PartialModel partial = TRY(PartialModel::Open(part, size));
  wire::DownloadRequest request;
  *request.mutable_header() = header_;
  request.set_model_id(model.value);
  request.set_offset(partial.position());

  RawCall call(channel_, "/fx.federation.v1.Aggregator/Download", options_.stop);
  call.WriteLast(Pack(request));
  grpc::ByteBuffer chunk;
  while (call.Read(chunk)) {
    const MessagePieces message = TRY(MessagePieces::Of(chunk));
    const std::uint64_t before = partial.position();
    TRY(partial.Append(message.get()));
    const std::uint64_t received = partial.position() - before;
    gauges_.bytes_received += received;
    if (!options_.limits->Pass(received)) return HoursAreOver();
  }
  grpc::Status status = call.Finish();
  if (!status.ok()) return status;
  if (!partial.complete()) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the model ended early");
  }
  const std::string digest = TRY(partial.Finish());
  const std::string announced = call.Trailer(kFastDigestTrailer);
  right = announced.empty() ? TRY(ModelFileSha256(part)) == model.value : digest == announced;
  return status;
}

Status GrpcLink::Send(const TaskResult& result) {
  std::shared_ptr<const ModelFile> file;
  if (!result.file.empty()) {
    file = std::make_shared<const ModelFile>(TRY(OfOurs(ModelFile::Open(result.file))));
  }
  return Persist([&] { return TrySend(MakeUploadHeader(header_, result), file); });
}

Status GrpcLink::Report(const TaskFailure& failure) {
  wire::UploadHeader header;
  *header.mutable_header() = header_;
  header.set_round(Number(failure.round));
  header.set_task(failure.task.value);
  header.set_failure(Printable(failure.reason, kMaxFailure));
  return Persist([&] { return TrySend(header, nullptr); });
}

Attempt GrpcLink::TrySend(wire::UploadHeader header, const std::shared_ptr<const ModelFile>& file) {
  std::span<const std::byte> bytes;
  if (file != nullptr) {
    bytes = file->file_bytes();
    header.set_model_header(EncodeModelHeader(file->layout()));
  }
  RawCall call(channel_, "/fx.federation.v1.Aggregator/Upload", options_.stop);
  wire::UploadReply reply;
  grpc::ByteBuffer message;
  if (!call.Write(Pack(header)) || !call.Read(message)) return call.Finish();
  TRY(Unpack(message, reply));
  if (reply.offset() > bytes.size()) {
    return Fail(ErrorCode::kInvalidArgument, "the aggregator asks for bytes past the update's end");
  }
  for (auto left = bytes.subspan(static_cast<std::size_t>(reply.offset())); !left.empty();) {
    const auto chunk = left.first(std::min(options_.limits->Piece(kMessageBytes), left.size()));
    left = left.subspan(chunk.size());
    if (!call.Write(WrapBytes(chunk, file))) return call.Finish();
    gauges_.bytes_sent += chunk.size();
    if (!options_.limits->Pass(chunk.size())) return HoursAreOver();
  }
  while (!reply.accepted()) {
    if (!call.Read(message)) {
      grpc::Status status = call.Finish();
      if (!status.ok()) return status;
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the upload was not answered");
    }
    TRY(Unpack(message, reply));
  }
  return grpc::Status::OK;
}

void GrpcLink::SayGoodbye() {
  grpc::ClientContext context;
  context.set_deadline(Deadline(options_.times.goodbye_ms));
  const std::stop_callback cancel(options_.stop, [&] { context.TryCancel(); });
  wire::GetTasksRequest request;
  *request.mutable_header() = header_;
  request.set_leaving(true);
  wire::GetTasksResponse response;
  static_cast<void>(stub_->GetTasks(&context, request, &response));
}

// Whoever is dead is noticed within one and a half of keep_alive. A question is held open for as
// long.
LinkTimes TimesOf(std::int64_t keep_alive) {
  LinkTimes times{.heartbeat = HeartbeatOf(keep_alive)};
  times.long_poll_ms = times.heartbeat.every_ms + times.heartbeat.timeout_ms;
  return times;
}

}  // namespace

GrpcLinkOptions LinkOptionsOf(const Plan& plan, const CollaboratorName& name) {
  return {.name = name,
          .address = plan.network.agg_addr,
          .port = plan.network.agg_port,
          .tls = plan.network.tls,
          .reconnect_interval_ms = plan.network.client_reconnect_interval * 1000,
          .aggregator_uuid = plan.aggregator_uuid,
          .federation_uuid = plan.federation_uuid,
          .plan_digest = plan.digest,
          .model_size = MapModelFile(ModelLayout(plan)).size,
          .times = TimesOf(plan.network.keep_alive),
          .stop = {},
          .renewed = {},
          .gauges = nullptr};
}

std::unique_ptr<Link> MakeGrpcLink(GrpcLinkOptions options, PemBundle credentials) {
  options.reconnect_interval_ms = std::max(options.reconnect_interval_ms, Backoff::kFirstMs);
  return std::make_unique<GrpcLink>(std::move(options), std::move(credentials));
}

}  // namespace fx::collaborator
