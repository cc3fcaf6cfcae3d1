#include "tests/simulation/aggregator_host.h"

#include <algorithm>
#include <variant>

#include "aggregator/store/record_json.h"
#include "core/base/format.h"
#include "tests/simulation/fake_training.h"
#include "tests/transcripts/print.h"

namespace fx::sim {

using aggregator::EventBody;

AggregatorHost::Process::Process(const Plan& plan, aggregator::ShellPorts& ports)
    : shell(plan,
            {.goodbye_ms = 60'000, .late_goodbye_ms = 10'000, .quiet_ms = 3000, .table = nullptr},
            ports, waiters, board) {}

void AggregatorHost::Boot() {
  left_ = false;
  if (world_.dice.Chance(0.1)) skew_ += world_.dice.Between(-3000, 3000);
  aggregator::ShellPorts& ports = *this;
  process_ = std::make_unique<Process>(plan_, ports);
  disk_.SyncFolder("spool/");
  for (const std::string& name : disk_.List("models/tmp-")) disk_.Remove(name);
  for (const std::string& name : disk_.List("spool/")) {
    if (!name.ends_with(".part")) continue;
    const std::size_t begin = name.find('+') + 1;
    const CollaboratorName who{name.substr(begin, name.find('+', begin) - begin)};
    if (!process_->partials.emplace(who, name).second) disk_.Remove(name);
  }
  if (const Status replayed = process_->shell.Replay(); !replayed) GiveUp(replayed.error());
  witness_.CheckState(process_->shell.state());
  witness_.CheckFiles();
  Later(world_.dice.Between(0, 30), [this] { StartShell(); });
}

void AggregatorHost::StartShell() {
  ModelId model = process_->shell.state().model;
  if (!process_->shell.state().opened) {
    model = ModelIdOf(InitialModel());
    AddModel("models/tmp-initial", InitialModel());
  }
  process_->started = true;
  witness_.MembersAre(plan_.authorized);
  if (const Status started = process_->shell.Start(model, kModelBytes); !started) {
    GiveUp(started.error());
  }
  witness_.CheckState(process_->shell.state());
  Nap();
}

void AggregatorHost::Gone(Death how) {
  process_.reset();
  witness_.AggregatorDied();
  wire_.ServerDied(how);
}

void AggregatorHost::Post(EventBody event) {
  process_->events.push_back(std::move(event));
  if (process_->pumping || !process_->started) return;
  process_->pumping = true;
  Later(world_.dice.Between(0, 3), [this] { Pump(); });
}

void AggregatorHost::Pump() {
  process_->pumping = false;
  std::vector<EventBody> together;
  const auto most = static_cast<std::size_t>(world_.dice.Between(1, 4));
  while (!process_->events.empty() && together.size() < most) {
    together.push_back(std::move(process_->events.front()));
    process_->events.pop_front();
  }
  Turn(std::move(together));
  if (!left_) Nap();
}

void AggregatorHost::SetMembers(std::vector<CollaboratorName> members) {
  plan_.authorized = std::move(members);
  if (up()) Post(aggregator::MembersChanged{plan_.authorized});
}

void AggregatorHost::Turn(std::vector<EventBody> events) {
  for (const EventBody& event : events) {
    const auto* changed = std::get_if<aggregator::MembersChanged>(&event);
    if (changed != nullptr) witness_.MembersAre(changed->members);
  }
  if (const Status turned = process_->shell.Turn(std::move(events)); !turned) {
    GiveUp(turned.error());
  }
  witness_.CheckState(process_->shell.state());
  witness_.CheckDeadline(Now());
  if (process_->shell.done()) Leave();
}

// Waits for the next event, but not for longer than the shell wants to.
void AggregatorHost::Nap() {
  process_->pumping = true;
  if (!process_->events.empty()) {
    return Later(world_.dice.Between(0, 3), [this] { Pump(); });
  }
  process_->pumping = false;
  Later(process_->shell.patience(), [this, nap = ++process_->naps] {
    if (nap == process_->naps && !process_->pumping) Pump();
  });
}

void AggregatorHost::Leave() {
  process_->waiters.Close(Error(ErrorCode::kUnavailable, "the aggregator is stopping"));
  while (!process_->io_jobs.empty()) NextIo();
  for (Saved* saved : {&process_->best, &process_->last}) {
    if (const Status written = Write(*saved); !written) GiveUp(written.error());
  }
  left_ = true;
  wire_.ServerDied(Death::kGaveUp);
  End();
}

void AggregatorHost::CheckEnd() const {
  const aggregator::State& state = witness_.journal();
  const auto is_saved = [this](const std::string& name, const ModelId& model) {
    return disk_.Exists(name) && ModelIdOf(disk_.Read(name)) == model;
  };
  Check(witness_.finished(), "the aggregator has left before the federation was over");
  Check(!state.best || is_saved("saved/best", state.best->model), "the best model is not saved");
  Check(!state.last || is_saved("saved/last", state.last->model), "the last model is not saved");
  Check(disk_.List("spool/").empty(), "an update is left though the federation is over");
  Check(disk_.List("models/tmp-").empty(), "a model that was never finished is left");
  Check(disk_.List("models/").size() <= plan_.aggregator.db_store_rounds + 2,
        "old models are left");
}

void AggregatorHost::Io(std::function<void()> job) {
  process_->io_jobs.push_back(std::move(job));
  if (process_->io_jobs.size() > 1) return;
  Later(world_.dice.Between(0, faults_.io_ms), [this] { NextIo(); });
}

void AggregatorHost::NextIo() {
  if (process_->io_jobs.empty()) return;  // done while leaving
  process_->io_jobs.front()();
  process_->io_jobs.pop_front();
  witness_.CheckFiles();
  if (!process_->io_jobs.empty()) {
    Later(world_.dice.Between(0, faults_.io_ms), [this] { NextIo(); });
  }
}

Result<std::vector<aggregator::Journal::Entry>> AggregatorHost::LoadJournal() {
  std::vector<aggregator::Journal::Entry> entries;
  for (const Line& line : journal_) {
    auto record = aggregator::FromJson(line.type, line.payload);
    Check(record.has_value(), "the journal cannot be read");
    entries.push_back({.seq = static_cast<std::int64_t>(entries.size()) + 1,
                       .at = line.at,
                       .record = *std::move(record)});
  }
  return entries;
}

Status AggregatorHost::AppendToJournal(TimeMs at, std::span<const aggregator::Record> records) {
  fuse_.Burn();
  if (disk_.full() && world_.dice.Chance(0.7)) {
    return Fail(ErrorCode::kResourceExhausted, "the disk is full");
  }
  for (const aggregator::Record& record : records) {
    Say([&] { return Print(record); });
    journal_.push_back({.at = at,
                        .type = std::string(aggregator::TypeOf(record)),
                        .payload = aggregator::ToJson(record)});
    witness_.Journaled(record);
  }
  fuse_.Burn();
  return Ok();
}

void AggregatorHost::Fold(const aggregator::AggregateRound& job) {
  fuse_.Burn();
  witness_.FoldBegins(job);
  Later(world_.dice.Between(1, faults_.fold_ms), [this, job] { RunFold(job); });
}

void AggregatorHost::RunFold(const aggregator::AggregateRound& job) {
  std::vector<Weighted> updates;
  for (const auto& [task, contributions] : job.tasks) {
    for (const aggregator::Contribution& c : contributions) {
      const std::string& bytes = disk_.Read(SpoolName(job.round, c.who, task, c.update));
      Check(UpdateIdOf(bytes) == c.update, "a damaged update is to be folded");
      updates.push_back({.num_samples = c.num_samples, .update = bytes});
    }
  }
  const std::string next = Aggregate(disk_.Read(ModelName(job.base)), updates);
  const ModelId model = ModelIdOf(next);
  const std::string temp = format("models/tmp-{}", process_->temps++);
  AddModel(temp, next);
  Say([&] { return format("round {} is folded", Number(job.round)); });
  Later(world_.dice.Between(0, 5), [this, round = job.round, model] {
    witness_.FoldEnded();
    Post(aggregator::AggregationFinished{.round = round, .model = model});
  });
}

void AggregatorHost::AddModel(const std::string& temp, const std::string& bytes) {
  disk_.Truncate(temp);
  if (const Status written = disk_.Append(temp, bytes); !written) {
    disk_.Remove(temp);
    GiveUp(written.error());
  }
  disk_.Sync(temp);
  disk_.RenameDurably(temp, ModelName(ModelIdOf(bytes)));
}

void AggregatorHost::SaveBest(const aggregator::SaveBestModel& save, double) {
  fuse_.Burn();
  Io([this, save] {
    process_->best.pending = save.model;
    static_cast<void>(Write(process_->best));
  });
}

void AggregatorHost::SaveLast(const aggregator::SaveLastModel& save) {
  fuse_.Burn();
  Io([this, save] {
    process_->last.pending = save.model;
    static_cast<void>(Write(process_->last));
    static_cast<void>(Write(process_->best));
  });
}

Status AggregatorHost::Write(Saved& saved) {
  if (!saved.pending) return Ok();
  const std::string name = ModelName(*saved.pending);
  if (!disk_.Exists(name)) return Fail(ErrorCode::kNotFound, "the model has been removed");
  const std::string bytes = disk_.Read(name);
  if (Status written = disk_.WriteDurably(saved.name, bytes); !written) return written;
  saved.pending.reset();
  return Ok();
}

void AggregatorHost::RemoveOld(const aggregator::Prune& prune) {
  fuse_.Burn();
  Io([this, prune] {
    Sweep(prune);
    Say([&] { return "old files are removed"; });
    Later(world_.dice.Between(0, 3), [this] { process_->shell.OnOldRemoved(); });
  });
}

void AggregatorHost::Sweep(const aggregator::Prune& prune) {
  Say([&] { return Print(aggregator::Action(prune)); });
  for (const std::string& name : disk_.List("spool/")) {
    const std::string number = name.substr(6, name.find('+') - 6);
    if (std::stoul(number) < Number(prune.round)) disk_.Remove(name);
  }
  for (const std::string& name : disk_.List("models/")) {
    const bool kept = std::ranges::any_of(
        prune.keep, [&](const ModelId& model) { return name == ModelName(model); });
    if (!kept && name.ends_with(".fxm")) disk_.Remove(name);
  }
}

}  // namespace fx::sim
