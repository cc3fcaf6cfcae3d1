// scripts/bench training: samples a second of forward, backward and step, beside PyTorch's on the
// same network and beside the primitives alone.
#include <getopt.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/format.h"
#include "core/base/random.h"
#include "fx/openmp_environment.h"
#include "tasks/task_runner.h"
#include "tests/bench/aggregation/arguments.h"
#include "tests/bench/training/networks.h"
#include "tests/bench/training/primitives.h"
#include "tests/bench/training/torch_process.h"
#include "tests/numeric/drawn_data.h"
#include "tests/support/must.h"

namespace fx::bench {
namespace {

using test::Must;

constexpr const char* kUsage =
    "scripts/bench training [--template T] [--batch B] [--threads N] [--precision P]\n"
    "                       [--laps L] [--json]\n"
    "\n"
    "Trains template T, or mcmahan, mlp or unet (default: cnn_mnist and those three) with batches\n"
    "of B (default: 32 and 256; unet 32 only) on N threads (default: 1 and 2), data in memory, in\n"
    "precision P, float32 (default) or bf16. Ours is a task of the runner, shuffling and loading\n"
    "included; PyTorch's laps, always in float32, take turns with it; the median of L laps of a\n"
    "second (default: 5). `primitives` is what oneDNN would reach if nothing else took time: no\n"
    "reorders, activations, loss, optimizer or data.\n";

constexpr double kLapSeconds = 1;

struct Settings {
  std::vector<std::string> networks = BenchNetworks();
  std::vector<std::int64_t> batches = {32, 256};
  std::vector<int> threads = {1, 2};
  Precision precision = Precision::kFloat32;
  int laps = 5;
  bool json = false;
};

std::optional<Settings> ParseOptions(int argc, char** argv) {
  Settings settings;
  const option options[] = {{"template", required_argument, nullptr, 't'},
                            {"batch", required_argument, nullptr, 'b'},
                            {"threads", required_argument, nullptr, 'n'},
                            {"laps", required_argument, nullptr, 'l'},
                            {"precision", required_argument, nullptr, 'p'},
                            {"json", no_argument, nullptr, 'j'},
                            {nullptr, 0, nullptr, 0}};
  for (int c = 0; (c = getopt_long(argc, argv, "", options, nullptr)) != -1;) {
    bool good = true;
    if (c == 't') {
      settings.networks = {optarg};
    } else if (c == 'b') {
      settings.batches.resize(1);
      good = Parse(optarg, settings.batches.front());
    } else if (c == 'n') {
      settings.threads.resize(1);
      good = Parse(optarg, settings.threads.front());
    } else if (c == 'p') {
      good = optarg == std::string_view("bf16") || optarg == std::string_view("float32");
      settings.precision = *optarg == 'b' ? Precision::kBfloat16 : Precision::kFloat32;
    } else if (c == 'l') {
      good = Parse(optarg, settings.laps);
    } else {
      good = settings.json = c == 'j';
    }
    if (!good) return std::nullopt;
  }
  return optind == argc ? std::optional(settings) : std::nullopt;
}

struct Figures {
  std::string network;
  std::int64_t batch = 0;
  int threads = 0;
  double ours = 0, primitives = 0;  // samples a second
  std::optional<double> torch;
  std::map<std::string, int> kinds;
};

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Ours: tasks of so many epochs that one lasts a lap.
class Ours {
 public:
  Ours(const NetworkSpec& network, std::int64_t batch)
      : data_(network, 8 * batch, RandomStream(1, "bench")),
        runner_(Must(
            MakeTaskRunner(network, {.type = "", .dataset = "", .batch_size = batch}, data_))) {
    Must(runner_->SetParameters(InitialModel(network)));
    Train();
    task_.epochs = std::max<std::int64_t>(1, static_cast<std::int64_t>(kLapSeconds / Train()));
  }

  double Lap() { return static_cast<double>(data_.size() * task_.epochs) / Train(); }

 private:
  double Train() {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    Must(runner_->Train(
        task_, {.round = Round{0}, .collaborator = {"one"}, .progress = {}, .cancelled = {}}));
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  const test::DrawnData data_;
  std::unique_ptr<TaskRunner> runner_;
  TaskSpec task_{.name = {"train"}, .metrics = {"loss"}, .batch_size = {}};
};

Figures Measure(NetworkSpec network, std::int64_t batch, int laps) {
  network.optimizer = {.learning_rate = 1e-4};
  const std::unique_ptr<Primitives> primitives = Must(Primitives::Make(network, batch));
  Ours ours(network, batch);
  const std::unique_ptr<TorchProcess> torch = TorchProcess::Start(network, batch);
  if (torch) torch->Lap(kLapSeconds);
  std::vector<double> ours_laps, torch_laps, primitive_laps;
  for (int lap = 0; lap < laps; ++lap) {
    ours_laps.push_back(ours.Lap());
    // Not behind PyTorch's lap, whose threads go on looking for work for longer than this takes.
    primitive_laps.push_back(static_cast<double>(batch) / primitives->Seconds());
    if (torch) torch_laps.push_back(torch->Lap(kLapSeconds));
  }
  return {.network = {},
          .batch = batch,
          .threads = network.threads,
          .ours = Median(ours_laps),
          .primitives = Median(primitive_laps),
          .torch = torch ? std::optional(Median(torch_laps)) : std::nullopt,
          .kinds = primitives->Kinds()};
}

void PrintRow(const Figures& f) {
  const auto reorder = f.kinds.find("reorder");
  std::fputs(format("| {} | {} | {} | {:.0f} | {} | {:.0f} | {} | {:.2f} | {} |\n", f.network,
                    f.batch, f.threads, f.ours, f.torch ? format("{:.0f}", *f.torch) : "-",
                    f.primitives, f.torch ? format("{:.2f}", f.ours / *f.torch) : "-",
                    f.ours / f.primitives, reorder == f.kinds.end() ? 0 : reorder->second)
                 .c_str(),
             stdout);
  std::fflush(stdout);
}

void PrintJson(const Figures& f) {
  nlohmann::json line = {{"network", f.network},           {"batch", f.batch},
                         {"threads", f.threads},           {"samples_per_second", f.ours},
                         {"primitives", f.primitives},     {"of_primitives", f.ours / f.primitives},
                         {"primitives_per_batch", f.kinds}};
  if (f.torch) {
    line["torch"] = *f.torch;
    line["of_torch"] = f.ours / *f.torch;
  }
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

void Bench(const Settings& settings) {
  if (!settings.json) {
    std::puts(
        "| network | batch | threads | ours, samples/s | PyTorch | primitives | x PyTorch | of "
        "primitives | reorders |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|");
  }
  for (const std::string& name : settings.networks) {
    NetworkSpec network = Must(BenchNetwork(name));
    for (const std::int64_t batch : settings.batches) {
      // Its largest layers would need gigabytes.
      if (name == "unet" && batch > 64 && settings.batches.size() > 1) continue;
      for (const int threads : settings.threads) {
        network.threads = threads;
        network.precision = settings.precision;
        Figures figures = Measure(network, batch, settings.laps);
        figures.network = name;
        settings.json ? PrintJson(figures) : PrintRow(figures);
      }
    }
  }
}

bool CanCompute(Precision precision) {
  NetworkSpec network;
  network.precision = precision;
  return PrecisionHere(network) == precision;
}

}  // namespace
}  // namespace fx::bench

int main(int argc, char** argv) {
  if (fx::SetOpenMpEnvironment()) execv("/proc/self/exe", argv);  // as fx trains
  const auto settings = fx::bench::ParseOptions(argc, argv);
  if (!settings) {
    std::fputs(fx::bench::kUsage, stderr);
    return 2;
  }
  if (!fx::bench::CanCompute(settings->precision)) {
    std::fputs("this processor has no bfloat16\n", stderr);
    return 1;
  }
  fx::bench::Bench(*settings);
  return 0;
}
