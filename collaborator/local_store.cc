#include "collaborator/local_store.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <set>
#include <sstream>
#include <utility>

#include "core/base/digest.h"
#include "core/base/failpoint.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "core/base/partial_file.h"
#include "core/tensor/model_file.h"

namespace fx::collaborator {
namespace {

constexpr std::string_view kFormat = "fx-result 1";
constexpr std::string_view kSites = "local_state/collaborator";
constexpr std::uint64_t kMaxRecord = 1U << 20;

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

// A name as one word that is safe in a record and as a file name: %XX for all but letters, digits,
// - and _.
std::string Escape(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    escaped += IsPlain(c) ? std::string(1, c) : format("%{:02x}", static_cast<unsigned char>(c));
  }
  return escaped;
}

Result<std::string> Unescape(std::string_view escaped) {
  std::string name;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '%') {
      name += escaped[i];
      continue;
    }
    unsigned char c = 0;
    const std::string_view digits = escaped.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), c, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + digits.size()) {
      return Fail(ErrorCode::kDataLoss, format("{} is not an escaped name", escaped));
    }
    name += static_cast<char>(c);
    i += 2;
  }
  return name;
}

template <typename T>
Result<T> ParseNumber(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Fail(ErrorCode::kDataLoss, text + " is not a number");
  }
  return value;
}

// Hexadecimal floats are exact; strtod also reads the nan and inf that {fmt} writes.
Result<double> ParseDouble(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') return Fail(ErrorCode::kDataLoss, text + " is not a number");
  return value;
}

Status ParseField(std::istringstream& line, const std::string& key, FinishedTask& task) {
  std::string value;
  line >> value;
  if (key == "round") {
    task.round = Round{TRY(ParseNumber<std::uint32_t>(value))};
  } else if (key == "task") {
    task.task.value = TRY(Unescape(value));
  } else if (key == "model") {
    task.model.value = value;
  } else if (key == "sequence") {
    task.sequence = TRY(ParseNumber<std::uint64_t>(value));
  } else if (key == "samples") {
    task.num_samples = TRY(ParseNumber<std::int64_t>(value));
  } else if (key == "seconds") {
    task.seconds = TRY(ParseDouble(value));
  } else if (key == "update") {
    task.update.value = value;
    line >> value;
    task.size = TRY(ParseNumber<std::uint64_t>(value));
  } else if (key == "optimizer") {
    task.optimizer.value = value;
  } else if (key == "metric") {
    Metric metric;
    metric.name = TRY(Unescape(value));
    line >> value;
    metric.value = TRY(ParseDouble(value));
    task.metrics.push_back(std::move(metric));
  } else {
    return Fail(ErrorCode::kDataLoss, "unknown field " + key);
  }
  return Ok();
}

bool HasDigest(const Path& file, const UpdateId& expected) {
  if (!Exists(file)) return false;
  const auto mapped = MappedFile::Open(file);
  if (!mapped) return false;
  FastDigest digest;
  digest.Update(mapped->bytes());
  return std::move(digest).FinishHex() == expected.value;
}

Path SpareIn(const Path& folder) {
  return folder / "spare";
}

// Writes the model whole or not at all.
Result<WrittenModel> WriteModel(const Path& path, const Model& model, Survive survive) {
  const Path temporary = path.string() + ".tmp";
  const Path spare = SpareIn(path.parent_path());
  if (Exists(spare)) TRY(RenameFile(spare, temporary));
  WrittenModel written = TRY(WriteModelFile(temporary, model, DigestKind::kFast, survive));
  TRY(survive == Survive::kPowerCut ? RenameDurably(temporary, path) : RenameFile(temporary, path));
  return written;
}

// Its name says what its bytes are.
bool IsWholeModel(const Path& path) {
  const auto sha256 = ModelFileSha256(path);
  return sha256 && *sha256 == path.stem().string();
}

// None if a process that only looks is faster than the one that makes the folder.
Result<std::vector<Path>> FilesOf(const Path& folder) {
  if (!Exists(folder)) return std::vector<Path>();
  return ListFolder(folder);
}

// The large files: a model, an update, an optimizer's state.
bool IsModelFile(const Path& path) {
  return path.extension() == ".fxm";
}

Status RemoveAllBut(const Path& folder, const std::set<Path>& keep) {
  const std::vector<Path> paths = TRY(ListFolder(folder));
  // A record goes before its tensors: without it they are nothing.
  for (const bool records : {true, false}) {
    for (const Path& path : paths) {
      if ((path.extension() == ".result") != records || keep.contains(path)) continue;
      if (path == SpareIn(folder)) continue;
      TRY(IsModelFile(path) ? RenameFile(path, SpareIn(folder)) : RemoveIfExists(path));
    }
  }
  return Ok();
}

}  // namespace

Path StatePath(const Path& workspace, const CollaboratorName& name, const Plan& plan) {
  return workspace / kSites / name.value / plan.federation_uuid;
}

Result<std::vector<CollaboratorName>> SitesOf(const Path& workspace, const Plan& plan) {
  std::vector<CollaboratorName> sites;
  if (!Exists(workspace / kSites)) return sites;
  for (const Path& folder : TRY(ListFolder(workspace / kSites))) {
    if (Exists(folder / plan.federation_uuid)) sites.push_back({folder.filename().string()});
  }
  return sites;
}

std::string EncodeFinishedTask(const FinishedTask& task) {
  std::string text =
      format("{}\nround {}\ntask {}\nmodel {}\nsequence {}\nsamples {}\nseconds {:a}\n", kFormat,
             Number(task.round), Escape(task.task.value), task.model.value, task.sequence,
             task.num_samples, task.seconds);
  if (task.trained()) text += format("update {} {}\n", task.update.value, task.size);
  if (!task.optimizer.value.empty()) text += format("optimizer {}\n", task.optimizer.value);
  for (const Metric& metric : task.metrics) {
    text += format("metric {} {:a}\n", Escape(metric.name), metric.value);
  }
  return text + "end\n";
}

Result<FinishedTask> ParseFinishedTask(const std::string& text) {
  FinishedTask task;
  std::istringstream lines(text);
  std::string line;
  if (!std::getline(lines, line) || line != kFormat) {
    return Fail(ErrorCode::kDataLoss, format("it does not begin with \"{}\"", kFormat));
  }
  while (std::getline(lines, line) && line != "end") {
    std::istringstream words(line);
    std::string key;
    words >> key;
    TRY(ParseField(words, key, task));
  }
  if (line != "end") return Fail(ErrorCode::kDataLoss, "it does not end in \"end\"");
  if (EncodeFinishedTask(task) != text) {
    return Fail(ErrorCode::kDataLoss, "it has fields twice, in another order, or more than fields");
  }
  return task;
}

Result<LocalStore> LocalStore::Open(const Path& folder) {
  FX_FAILPOINT_SCOPE("store.open");
  TRY(MakeFolders(folder, 0700));  // what a site has learnt is its own
  TRY(MakeFolders(folder / "models"));
  TRY(MakeFolders(folder / "results"));
  auto lock = FileLock::Acquire(folder / "lock");
  if (!lock) {
    const bool held = FileLock::IsHeld(folder / "lock").value_or(false);
    return Fail(std::move(lock).error().In(held ? "this collaborator already runs in this workspace"
                                                : "cannot use local_state"));
  }
  LocalStore store(folder, *std::move(lock));
  TRY(store.Remember());
  return store;
}

Result<SiteStatus> LocalStore::Look(const Path& folder) {
  SiteStatus status;
  status.running = TRY(FileLock::IsHeld(folder / "lock"));
  LocalStore store(folder, std::nullopt);
  TRY(store.Remember());
  status.remembered = std::move(store.remembered_);
  for (const FinishedTask& task : status.remembered.finished) {
    status.sent.push_back(Exists(store.SentPath(task)));
  }
  return status;
}

Status LocalStore::Remember() {
  for (const Path& path : TRY(FilesOf(folder_ / "models"))) {
    if (path.extension() != ".fxm") continue;
    if (IsWholeModel(path)) {
      remembered_.models.push_back({path.stem().string()});
    } else {
      LogWarning("a damaged model is not used", {{"file", path.filename().string()}});
    }
  }
  for (const Path& path : TRY(FilesOf(folder_ / "results"))) {
    if (path.extension() != ".result") continue;
    auto task = ParseFinishedTask(TRY(ReadFile(path, kMaxRecord)));
    if (task && ResultStem(*task).string() + ".result" == path.string() && IsWhole(*task)) {
      remembered_.finished.push_back(*std::move(task));
    } else {
      LogWarning("an incomplete result is not used", {{"file", path.filename().string()}});
    }
  }
  if (Exists(folder_ / "closed")) {
    if (const auto round = ParseNumber<std::uint32_t>(TRY(ReadFile(folder_ / "closed", 64)))) {
      remembered_.closed = Round{*round};
    }
  }
  return Ok();
}

bool LocalStore::IsWhole(const FinishedTask& task) const {
  const auto has = [](const Path& file, const UpdateId& digest) {
    return digest.value.empty() || HasDigest(file, digest);
  };
  return has(UpdatePath(task), task.update) && has(OptimizerPath(task), task.optimizer);
}

Path LocalStore::ModelPath(const ModelId& model) const {
  return folder_ / "models" / (model.value + ".fxm");
}

Path LocalStore::ResultStem(const FinishedTask& task) const {
  return folder_ / "results" / format("{:08}-{}", Number(task.round), Escape(task.task.value));
}

Path LocalStore::UpdatePath(const FinishedTask& task) const {
  return ResultStem(task).string() + ".update.fxm";
}

Path LocalStore::OptimizerPath(const FinishedTask& task) const {
  return ResultStem(task).string() + ".optimizer.fxm";
}

Path LocalStore::SentPath(const FinishedTask& task) const {
  return ResultStem(task).string() + ".sent";
}

Result<FinishedTask> LocalStore::Add(FinishedTask task, const Model* trained,
                                     const Model* optimizer) {
  TRY(RemoveIfExists(SentPath(task)));  // of an earlier run that was lost
  const Survive survive = optimizer == nullptr ? Survive::kProcess : Survive::kPowerCut;
  if (trained != nullptr) {
    FX_FAILPOINT_SCOPE("store.update");
    WrittenModel written = TRY(WriteModel(UpdatePath(task), *trained, survive));
    task.update.value = std::move(written.digest);
    task.size = written.size;
  }
  if (optimizer != nullptr) {
    FX_FAILPOINT_SCOPE("store.optimizer");
    task.optimizer.value = TRY(WriteModel(OptimizerPath(task), *optimizer, survive)).digest;
  }
  FX_FAILPOINT_SCOPE("store.result");
  TRY(AtomicWrite(ResultStem(task).string() + ".result", EncodeFinishedTask(task),
                  FileMode::kPublic, survive));
  return task;
}

Status LocalStore::MarkSent(const FinishedTask& task) {
  TRY(OutputFile::Open(SentPath(task)));
  return Ok();
}

Status LocalStore::MarkClosed(Round round) {
  FX_FAILPOINT_SCOPE("store.closed");
  return AtomicWrite(folder_ / "closed", format("{}", Number(round)), FileMode::kPublic,
                     Survive::kProcess);
}

Status LocalStore::ExpectModel(const ModelId& model, std::uint64_t size) {
  FX_FAILPOINT_SCOPE("store.expect");
  const Path spare = SpareIn(folder_ / "models");
  const Path part = ModelPath(model).string() + ".part";
  if (Exists(part) || !Exists(spare)) return Ok();
  return PartialFile::Reuse(spare, part, size);
}

Status LocalStore::RemoveSpares() {
  TRY(RemoveIfExists(SpareIn(folder_ / "models")));
  return RemoveIfExists(SpareIn(folder_ / "results"));
}

Status LocalStore::Keep(std::span<const ModelId> models, std::span<const FinishedTask> results) {
  FX_FAILPOINT_SCOPE("store.tidy");
  std::set<Path> keep;
  for (const ModelId& model : models) {
    keep.insert(ModelPath(model));
    keep.insert(ModelPath(model).string() + ".part");
  }
  TRY(RemoveAllBut(folder_ / "models", keep));
  keep.clear();
  for (const FinishedTask& task : results) {
    keep.insert(ResultStem(task).string() + ".result");
    keep.insert(SentPath(task));
    if (task.trained()) keep.insert(UpdatePath(task));
    if (!task.optimizer.value.empty()) keep.insert(OptimizerPath(task));
  }
  return RemoveAllBut(folder_ / "results", keep);
}

}  // namespace fx::collaborator
