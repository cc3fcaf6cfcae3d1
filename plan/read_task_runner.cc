// The section task_runner: a network of layers, its loss and its optimizer.
#include <cstdint>
#include <string>

#include "core/base/format.h"
#include "plan/python_parts.h"
#include "plan/read_network.h"
#include "plan/read_sections.h"
#include "plan/section_reader.h"

namespace fx {
namespace {

bool ReadInputShape(MappingReader& settings, Complaints& complaints, Shape& out) {
  const YamlRef value =
      settings.Require("input_shape", "the shape of one sample, such as [1, 28, 28]");
  settings.Note("input_shape",
                {.kind = "1 to 3 numbers", .numbers = WholeNumbers(1, kMaxUnits), .list = true});
  if (!value) return false;
  if (!value->is_sequence() || value->items.empty() || value->items.size() > 3) {
    settings.Complain("input_shape",
                      format("is {}, expected [features], [time, features] or [channels, height, "
                             "width]",
                             Describe(*value)));
    return false;
  }
  bool good = true;
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    std::int64_t extent = 0;
    good &= ReadInteger(*value->items[i], format("{}[{}]", settings.PathOf("input_shape"), i), 1,
                        kMaxUnits, complaints, extent);
    out.push_back(extent);
  }
  return good;
}

// Complains at the first layer that does not fit what comes before it.
void FitLayers(MappingReader& settings, Complaints& complaints, NetworkSpec& network) {
  std::size_t culprit = 0;
  const Status fits = InferShapes(network, &culprit);
  if (fits) return;
  const std::string& message = fits.error().message();
  if (network.layers.front().input.empty()) {  // it is the sample that is wrong
    complaints.Add(*settings.Get("input_shape"), format("task_runner.settings.{}", message));
    return;
  }
  const YamlRef layers = settings.Get("layers");
  complaints.Add(*layers->items[culprit],
                 format("{}[{}]: {}", settings.PathOf("layers"), culprit, message));
}

// auto is 0.
void ReadThreads(MappingReader& s, int& out) {
  out = 0;
  const YamlRef threads = s.Get("threads");
  s.Note("threads", {.kind = "auto", .numbers = WholeNumbers(1, 1024)});
  if (!threads) return s.Assume("threads", "auto");
  if (threads->is_string() && threads->scalar.text == "auto") return;
  if (threads->kind() == YamlKind::kInteger && threads->scalar.integer >= 1 &&
      threads->scalar.integer <= 1024) {
    out = static_cast<int>(threads->scalar.integer);
  } else {
    s.Complain("threads", format("is {}, expected 1 to 1024 or auto", Describe(*threads)));
  }
}

void ReadPrecision(MappingReader& s, Precision& out) {
  static const std::vector<Choice> choices = {{"float32", static_cast<int>(Precision::kFloat32)},
                                              {"bf16", static_cast<int>(Precision::kBfloat16)}};
  int picked = static_cast<int>(out);
  s.Pick("precision", choices, picked);
  out = static_cast<Precision>(picked);
}

}  // namespace

void ReadTaskRunner(const YamlValue& plan, Complaints& complaints, NetworkSpec& out,
                    std::vector<PythonPart>& python) {
  SectionReader section(plan, "task_runner", SectionReader::Need::kRequired, complaints);
  const std::vector<Choice> runners = {{"NativeTaskRunner", 0}};
  if (const std::string found = section.PythonClass(runners); !found.empty()) {
    python.push_back(PythonPartOf("task_runner", found));
    return section.FinishUnjudged();
  }
  int ignored = 0;
  section.Template(runners, ignored);
  MappingReader& s = section.settings();
  auto seed = static_cast<std::int64_t>(out.seed);
  s.Integer("seed", seed, 0, INT64_MAX);
  out.seed = static_cast<std::uint64_t>(seed);
  ReadThreads(s, out.threads);
  ReadPrecision(s, out.precision);
  ReadLoss(s, complaints, out.loss);
  ReadOptimizer(s, complaints, out.optimizer);
  const bool shape = ReadInputShape(s, complaints, out.input_shape);
  const bool layers = ReadLayers(s, complaints, out.layers);
  if (shape && layers) FitLayers(s, complaints, out);
  section.Finish();
}

}  // namespace fx
