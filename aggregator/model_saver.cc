#include "aggregator/model_saver.h"

#include "core/base/failpoint.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "rpc/pbuf.h"

namespace fx::aggregator {

void ModelSaver::SaveBest(Round round, const ModelId& model, double score) {
  best_.pending = {
      .round = round,
      .model = model,
      .done = format("Round {}: saved the best model with score {:f}", Number(round), score)};
  WriteOrLog(best_);
}

void ModelSaver::SaveLast(Round round, const ModelId& model) {
  LogInfo(format("Saving round {} model...", Number(round) - 1));
  last_.pending = {.round = round, .model = model, .done = {}};
  WriteOrLog(last_);
  WriteOrLog(best_);
}

Status ModelSaver::Retry() {
  const Status best = Write(best_);
  TRY(Write(last_));
  return best;
}

Status ModelSaver::Write(Target& target) const {
  FX_FAILPOINT_SCOPE(target.scope);
  if (!target.pending) return Ok();
  const auto& [round, id, done] = *target.pending;
  const ModelFile model = TRY(models_.OpenModel(id));
  TRY(MakeFolders(target.path.parent_path()));
  TRY(WritePbuf(target.path, model, static_cast<std::int32_t>(Number(round))));
  if (!done.empty()) LogInfo(done);
  target.pending.reset();
  return Ok();
}

void ModelSaver::WriteOrLog(Target& target) const {
  const Status written = Write(target);
  if (written) return;
  LogError("a model cannot be saved; trying again after the next round",
           {{"file", target.path.string()}, {"reason", written.error().OneLine()}});
}

}  // namespace fx::aggregator
