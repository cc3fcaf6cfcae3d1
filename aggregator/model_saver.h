// Writes the models people take away: best and last, as OpenFL files, where the plan says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aggregator/store/model_store.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"

namespace fx::aggregator {

// A model that could not be written (a full disk) is logged, kept in mind, and tried again with the
// next: the federation goes on. Not thread-safe; belongs to the I/O thread.
class ModelSaver {
 public:
  // `models` must outlive this.
  ModelSaver(const ModelStore& models, Path best, Path last)
      : models_(models),
        best_{"save.best", std::move(best), {}},
        last_{"save.last", std::move(last), {}} {}

  // `round` is the number of aggregations the model has seen.
  void SaveBest(Round round, const ModelId& model, double score);
  void SaveLast(Round round, const ModelId& model);

  // Tries again what has failed. The error of the first that fails still.
  Status Retry();

 private:
  struct Pending {
    Round round{};
    ModelId model;
    std::string done;  // the log line when it is written
  };
  struct Target {
    std::string_view scope;  // of failpoints
    Path path;
    std::optional<Pending> pending;
  };
  Status Write(Target& target) const;
  void WriteOrLog(Target& target) const;

  const ModelStore& models_;
  Target best_, last_;
};

}  // namespace fx::aggregator
