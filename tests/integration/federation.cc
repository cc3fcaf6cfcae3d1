#include "tests/integration/federation.h"

#include <grpcpp/create_channel.h>

#include <chrono>
#include <stop_token>
#include <utility>

#include "core/base/digest.h"
#include "core/base/random.h"
#include "core/tensor/model_file.h"
#include "rpc/aggregator.grpc.pb.h"
#include "rpc/bytes.h"
#include "rpc/channel_options.h"
#include "rpc/credentials.h"
#include "rpc/pbuf.h"
#include "rpc/raw_call.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

constexpr const char* kHost = "localhost";
constexpr auto kPatience = std::chrono::seconds(20);

Plan MakePlan(const std::vector<std::string>& members, std::int64_t outputs) {
  Plan plan;
  plan.aggregator.init_state_path = "save/init.pbuf";
  plan.aggregator.best_state_path = "save/best.pbuf";
  plan.aggregator.last_state_path = "save/last.pbuf";
  plan.aggregator.rounds_to_train = 2;
  plan.aggregator.max_update_bytes = 1 << 23;
  plan.task_runner.input_shape = {4};
  LayerSpec dense;
  dense.type = LayerType::kDense;
  dense.name = "fc";
  dense.units = outputs;
  plan.task_runner.layers = {dense};
  Must(InferShapes(plan.task_runner));
  plan.network.agg_addr = kHost;
  plan.network.client_reconnect_interval = 1;
  const auto task = [&](const char* name, TaskFunction function, ApplyTo apply) {
    TaskSpec& spec = plan.tasks[TaskName{name}];
    spec.name = TaskName{name};
    spec.function = function;
    spec.apply = apply;
  };
  task("aggregated_model_validation", TaskFunction::kValidate, ApplyTo::kGlobal);
  task("train", TaskFunction::kTrain, ApplyTo::kGlobal);
  task("locally_tuned_model_validation", TaskFunction::kValidate, ApplyTo::kLocal);
  TaskGroup group;
  group.name = "all";
  group.tasks = {{"aggregated_model_validation"}, {"train"}, {"locally_tuned_model_validation"}};
  plan.task_groups = {group};
  for (const std::string& name : members) plan.authorized.push_back({name});
  plan.digest = Sha384Hex("the plan of the tests");
  plan.federation_uuid = "plan.yaml_" + plan.digest.substr(0, 8);
  plan.aggregator_uuid = "aggregator_" + plan.federation_uuid;
  return plan;
}

Model InventModel(const Layout& layout) {
  Model model;
  float value = 0;
  for (const TensorSpec& spec : layout) {
    Tensor tensor(spec.shape);
    for (float& x : tensor.floats()) x = value += 0.125F;
    model.push_back({.name = spec.name, .tensor = std::move(tensor)});
  }
  return model;
}

}  // namespace

TestFederation::TestFederation(std::vector<std::string> members, std::int64_t outputs)
    : plan(MakePlan(members, outputs)) {
  pki.AddAggregator(kHost);
  for (const std::string& name : members) pki.AddCollaborator(name);
  const Path init = workspace.path() / plan.aggregator.init_state_path;
  Must(MakeFolders(init.parent_path()));
  Must(WritePbuf(init, InventModel(ParameterLayout(plan.task_runner)), 0));
}

aggregator::RuntimeOptions TestFederation::Options(std::uint16_t port) const {
  return {.plan = plan,
          .credentials = pki.AggregatorBundle(kHost),
          .workspace = workspace.path(),
          .address = "127.0.0.1",
          .port = port,
          .quiet_ms = 0,
          .now = {}};
}

collaborator::GrpcLinkOptions TestFederation::LinkOptions(const std::string& name,
                                                          std::uint16_t port) const {
  auto options = collaborator::LinkOptionsOf(plan, CollaboratorName{name});
  options.port = port;
  return options;
}

std::shared_ptr<grpc::Channel> Connect(const PemBundle& credentials, std::uint16_t port) {
  return grpc::CreateCustomChannel(std::string(kHost) + ":" + std::to_string(port),
                                   MakeChannelCredentials(credentials), TunedChannelArguments());
}

RunningAggregator::RunningAggregator(aggregator::RuntimeOptions options)
    : runtime_(Must(aggregator::Runtime::Create(std::move(options)))),
      thread_([this] { outcome_ = runtime_->Run(); }) {}

RunningAggregator::~RunningAggregator() {
  runtime_->RequestStop();
}

Result<aggregator::Outcome> RunningAggregator::Wait() {
  thread_.join();
  return outcome_;
}

TaskResult InventResult(const CollaboratorName& who, const TaskAssignment& assignment,
                        const TaskName& task, const Path& model, const Path& file) {
  RandomStream draws(1, task.value, HashName(who.value), Number(assignment.round));
  TaskResult result;
  result.round = assignment.round;
  result.task = task;
  result.num_samples = 100 + static_cast<std::int64_t>(draws.Below(100));
  result.metrics = {{.name = "loss", .value = draws.NextFloat()},
                    {.name = "accuracy", .value = draws.NextFloat()}};
  if (task.value != "train") return result;
  Model trained = Must(ModelFile::Open(model)).Load();
  for (NamedTensor& named : trained) {
    for (float& x : named.tensor.floats()) x += draws.NextFloat() - 0.5F;
  }
  const WrittenModel written = Must(WriteModelFile(file, trained, DigestKind::kFast));
  result.file = file;
  result.update = UpdateId{written.digest};
  result.size = written.size;
  return result;
}

Status Collaborate(const TestFederation& federation, const Site& site) {
  auto options = federation.LinkOptions(site.name, site.port);
  options.times = site.times;
  if (site.adjust) site.adjust(options);
  const auto link = collaborator::MakeGrpcLink(
      std::move(options),
      site.credentials ? site.credentials() : federation.pki.CollaboratorBundle(site.name));
  const auto watch = [&](const std::string& step, const auto& call) {
    if (site.before) site.before(step);
    auto done = call();
    if (done && site.after) site.after(step);
    return done;
  };
  const TempDir folder;
  for (;;) {
    const auto assignment = TRY(watch("ask", [&] { return link->GetTasks(); }));
    if (!assignment) continue;
    if (assignment->quit) break;
    const Path model = folder.path() / assignment->model.value;
    TRY(watch("download",
              [&] { return link->Download(assignment->model, assignment->model_size, model); }));
    for (const TaskName& task : assignment->tasks) {
      const TaskResult result =
          InventResult({site.name}, *assignment, task, model, folder.path() / "update.fxm");
      TRY(watch("send " + task.value, [&] { return link->Send(result); }));
    }
  }
  return watch("goodbye", [&] {
    link->SayGoodbye();
    return Ok();
  });
}

Status Collaborate(const TestFederation& federation, const std::string& name, std::uint16_t port,
                   const std::function<void()>& sent) {
  return Collaborate(federation, {.name = name,
                                  .port = port,
                                  .times = {},
                                  .before = {},
                                  .after = [&](const std::string& step) {
                                    if (step.starts_with("send")) sent();
                                  }});
}

HandMadeUpload GoodUpload(const TestFederation& federation, const std::string& name) {
  const Layout layout = ParameterLayout(federation.plan.task_runner);
  const TempDir folder;
  const Path file = folder.path() / "update.fxm";
  Must(WriteModelFile(file, InventModel(layout), DigestKind::kFast));
  HandMadeUpload upload;
  *upload.header.mutable_header() = HeaderOf(federation, name);
  upload.header.set_task("train");
  upload.header.set_num_samples(10);
  upload.header.set_model_header(EncodeModelHeader(layout));
  return WithBytes(std::move(upload), Must(ReadFile(file)));
}

HandMadeUpload WithBytes(HandMadeUpload upload, const std::string& bytes) {
  FastDigest digest;
  digest.Update(AsBytes(bytes));
  upload.header.set_update_id(std::move(digest).FinishHex());
  upload.header.set_size(bytes.size());
  upload.chunks = {bytes};
  return upload;
}

grpc::Status Send(const std::shared_ptr<grpc::Channel>& channel, const HandMadeUpload& upload) {
  std::vector<std::string> messages = {upload.header.SerializeAsString()};
  messages.insert(messages.end(), upload.chunks.begin(), upload.chunks.end());
  return SendRaw(channel, "Upload", messages);
}

grpc::Status SendRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                     const std::vector<std::string>& messages) {
  RawCall call(channel, "/fx.federation.v1.Aggregator/" + method, {});
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto owner = std::make_shared<const std::string>(messages[i]);
    const auto buffer = WrapBytes(AsBytes(*owner), owner);
    const bool more = i + 1 < messages.size();
    if (!(more ? call.Write(buffer) : call.WriteLast(buffer))) break;
  }
  return call.Finish();
}

grpc::Status Ask(const std::shared_ptr<grpc::Channel>& channel, const wire::Header& header) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  wire::GetTasksRequest request;
  *request.mutable_header() = header;
  wire::GetTasksResponse response;
  return wire::Aggregator::NewStub(channel)->GetTasks(&context, request, &response);
}

wire::Header HeaderOf(const TestFederation& federation, const std::string& sender) {
  const Plan& plan = federation.plan;
  return MakeHeader({.aggregator_uuid = plan.aggregator_uuid,
                     .federation_uuid = plan.federation_uuid,
                     .plan_digest = plan.digest},
                    CollaboratorName{sender});
}

}  // namespace fx::test
