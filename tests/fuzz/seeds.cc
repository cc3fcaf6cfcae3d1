// Writes seeds of every target into folders below the one that is given: good inputs, made by our
// own writers, for libFuzzer to spoil.
#include <cstdio>
#include <span>
#include <variant>

#include "aggregator/store/record_json.h"
#include "collaborator/local_store.h"
#include "fx/workspace/archive.h"
#include "pki/certificate_authority.h"
#include "rpc/convert.h"
#include "rpc/pbuf.h"
#include "tests/fuzz/data_seeds.h"
#include "tests/fuzz/upload_rules.h"
#include "tests/support/must.h"

namespace fx::fuzz {
namespace {

using test::Must;

class Seeds {
 public:
  explicit Seeds(Path folder) : folder_(std::move(folder)) {}

  void Add(const std::string& target, const std::string& name, const std::string& bytes) const {
    Must(MakeFolders(folder_ / target));
    Must(AtomicWrite(folder_ / target / name, bytes));
  }

  void AddModels() const;
  void AddUploads() const;
  void AddRecords() const;
  void AddRequests() const;
  void AddRest() const;

 private:
  Path folder_;
};

Model SmallModel() {
  Model model;
  for (const TensorSpec& spec : FuzzedRules().layout) {
    Tensor tensor(spec.shape);
    float value = -1;
    for (float& x : tensor.floats()) x = value += 0.25F;
    model.push_back({.name = spec.name, .tensor = std::move(tensor)});
  }
  return model;
}

void Seeds::AddModels() const {
  const TempDir folder;
  const Path file = folder.path() / "file";
  Must(WriteModelFile(file, SmallModel(), DigestKind::kFast));
  const std::string model = Must(ReadFile(file));
  Add("model_file", "small", model);
  Add("update_bytes", "small", std::string(8, '\x5A') + model);
  Must(WritePbuf(file, SmallModel(), 7));
  Add("pbuf", "small", Must(ReadFile(file)));
}

void Seeds::AddUploads() const {
  const aggregator::UploadRules rules = FuzzedRules();
  federation::v1::UploadHeader header;
  header.set_round(3);
  header.set_task("validate");
  header.set_num_samples(100);
  auto* const metric = header.add_metrics();
  metric->set_name("accuracy");
  metric->set_value(0.5);
  Add("upload_header", "validate", header.SerializeAsString());
  header.set_task("train");
  header.set_update_id("0123456789abcdef0123456789abcdef");
  header.set_size(rules.map.size);
  header.set_model_header(rules.header);
  Add("upload_header", "train", header.SerializeAsString());
}

void Seeds::AddRecords() const {
  using aggregator::Record;
  const Metric loss = {.name = "loss", .value = 0.25};
  const std::vector<Record> records = {
      aggregator::RoundOpened{.round = Round{1},
                              .model = {"m1"},
                              .assignments = {{{"ann"}, {{"train"}, {"validate"}}}, {{"bob"}, {}}},
                              .wanted = 1},
      aggregator::DeadlineSet{TimeMs{1'000}},
      aggregator::ResultAccepted{
          .who = {"ann"}, .task = {"train"}, .update = {"u1"}, .num_samples = 7, .metrics = {loss}},
      aggregator::RoundClosed{.stragglers = {{"bob"}},
                              .contributors = {{"ann"}},
                              .metrics = {{.task = {"train"}, .metric = loss}},
                              .forgets = true},
      aggregator::BestModelChosen{
          .round = Round{1}, .model = {"m1"}, .metric = "loss", .score = 0.5},
      aggregator::ModelCommitted{{"m2"}},
      aggregator::FederationFinished{},
      aggregator::ResultsLost{.results = {{{"ann"}, {"train"}}}},
      aggregator::SiteFailed{.who = {"bob"}, .task = {"train"}, .reason = "no memory"},
      aggregator::ModelScored{.score = 0.5, .bar = 0.25, .stalled = 2},
      aggregator::TrainingStopped{"no better in 2 rounds"},
      aggregator::SiteLeft{{"bob"}},
      aggregator::PauseSet{true}};
  for (const Record& record : records) {
    Add("record_json", std::string(aggregator::TypeOf(record)),
        static_cast<char>(record.index()) + aggregator::ToJson(record));
  }
}

void Seeds::AddRequests() const {
  const FederationIdentity identity = {.aggregator_uuid = "aggregator_plan.yaml_0a1b2c3d",
                                       .federation_uuid = "plan.yaml_0a1b2c3d",
                                       .plan_digest = std::string(96, '7')};
  for (const char* const name : {"ann", "bob", "zoe"}) {
    wire::DownloadRequest request;
    *request.mutable_header() = MakeHeader(identity, {name});
    Add("wire", std::string("ask-") + name, "3" + request.SerializeAsString());
    request.set_model_id(std::string(64, 'e'));
    request.set_offset(1 << 20);
    Add("wire", std::string("download-") + name, "3" + request.SerializeAsString());
  }
}

void Seeds::AddRest() const {
  const collaborator::FinishedTask task = {.round = Round{3},
                                           .task = {"train it"},
                                           .model = {std::string(64, 'a')},
                                           .sequence = 9,
                                           .num_samples = 1'000,
                                           .metrics = {{.name = "the loss", .value = 0.125}},
                                           .seconds = 1.5,
                                           .update = {std::string(32, 'b')},
                                           .size = 1'024,
                                           .optimizer = {std::string(32, 'c')}};
  Add("finished_task", "train", collaborator::EncodeFinishedTask(task));

  const TempDir folder;
  const Path zip = folder.path() / "zip";
  const std::vector<ArchiveEntry> entries = {
      {.name = "plan", .bytes = "", .folder = true},
      {.name = "plan/plan.yaml", .bytes = std::string(300, 'x'), .folder = false}};
  for (const bool stored : {false, true}) {
    Must(WriteZip(zip, entries, stored));
    Add("archive", stored ? "stored" : "deflated", Must(ReadFile(zip)));
  }

  const auto authority = Must(CertificateAuthority::Create(folder.path()));
  const Identity ann = Must(Identity::Collaborator("ann"));
  for (const KeyKind kind : {KeyKind::kEcdsaP384, KeyKind::kRsa3072}) {
    const PrivateKey key = Must(PrivateKey::Generate(kind));
    const SigningRequest request = Must(SigningRequest::Create(key, ann));
    const std::string name = kind == KeyKind::kRsa3072 ? "rsa" : "ecdsa";
    Add("pki", "request-" + name, request.pem());
    Add("pki", "certificate-" + name,
        Must(authority.Sign(request, "seeds", ann, LeafValidity(UnixNow()))).ToPem());
  }
}

}  // namespace
}  // namespace fx::fuzz

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() != 2) {
    std::fputs("usage: fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  const fx::fuzz::Seeds seeds(arguments[1]);
  seeds.AddModels();
  seeds.AddUploads();
  seeds.AddRecords();
  seeds.AddRequests();
  seeds.AddRest();
  for (const fx::fuzz::DataSeed& seed : fx::fuzz::DataSeeds())
    seeds.Add(seed.target, seed.name, seed.bytes);
  return 0;
}
