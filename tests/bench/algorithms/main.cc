// scripts/bench algorithms: what the rules of aggregation make of ten sites with two labels each,
// and of two of them that lie.
#include <getopt.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "plan/load.h"
#include "tests/bench/aggregation/arguments.h"
#include "tests/bench/algorithms/federation.h"

namespace fx::bench {
namespace {

constexpr const char* kUsage =
    "scripts/bench algorithms [--rounds R] [--curves FILE]\n"
    "\n"
    "Trains tests/bench/algorithms/plan.yaml R times (50) with each algorithm, and with each rule\n"
    "against two hostile sites of ten; prints two tables, and draws the accuracy of every round.\n";

// In a round's accuracy is much luck when every site has two labels only.
constexpr std::size_t kLastRounds = 5;
constexpr double kGoal = 0.75;

struct Algorithm {
  std::string name;
  std::string aggregation = "{template: WeightedAverage}";
  std::string optimizer = "{type: sgd, learning_rate: 0.05}";
};

const std::vector<Algorithm> kAlgorithms = {
    {.name = "FedAvg"},
    {.name = "FedProx", .optimizer = "{type: sgd, learning_rate: 0.05, proximal: 0.1}"},
    {.name = "FedAvgM", .aggregation = "{template: FedAvgM, settings: {momentum: 0.9}}"},
    {.name = "FedAdam", .aggregation = "{template: FedAdam}"},
    {.name = "FedYogi", .aggregation = "{template: FedYogi}"},
    {.name = "SCAFFOLD", .aggregation = "{template: SCAFFOLD}"},
};
// FedAvg's column without an attack is the first table's.
const std::vector<Algorithm> kRules = {
    {.name = "mean"},
    {.name = "Median", .aggregation = "{template: Median}"},
    {.name = "TrimmedMean", .aggregation = "{template: TrimmedMean, settings: {trim: 0.2}}"},
    {.name = "GeometricMedian", .aggregation = "{template: GeometricMedian}"},
    {.name = "MultiKrum", .aggregation = "{template: MultiKrum, settings: {attackers: 2}}"},
};
const std::vector<std::pair<std::string, Attack>> kAttacks = {
    {"no attack", Attack::kNone}, {"sign flip", Attack::kSignFlip}, {"noise", Attack::kNoise}};

struct Settings {
  std::uint32_t rounds = 50;
  std::string curves;
};

void Replace(std::string& text, std::string_view word, std::string_view by) {
  text.replace(text.find(word), word.size(), by);
}

Result<Plan> PlanOf(const Algorithm& algorithm, std::uint32_t rounds) {
  const Path file = Path(FX_SOURCE_DIR) / "tests/bench/algorithms/plan.yaml";
  std::string text = TRY(ReadFile(file));
  Replace(text, "OPTIMIZER", algorithm.optimizer);
  Replace(text, "AGGREGATION", algorithm.aggregation);
  Plan plan = TRY(LoadPlanText(text, file, "no cols.yaml"));
  plan.aggregator.rounds_to_train = rounds;
  return plan;
}

bool IsHostile(const CollaboratorName& name) {
  return name.value == "site4" || name.value == "site9";
}

// One curve: a line "NAME <tab> round <tab> accuracy" each.
class Curves {
 public:
  explicit Curves(Path file) : file_(std::move(file)) {}
  void Add(const std::string& name, const std::vector<double>& accuracies) {
    for (std::size_t r = 0; r < accuracies.size(); ++r) {
      text_ += format("{}\t{}\t{:.4f}\n", name, r, accuracies[r]);
    }
    text_ += "\n\n";
  }
  Status Write() const { return file_.empty() ? Ok() : AtomicWrite(file_, text_); }

 private:
  Path file_;
  std::string text_;
};

double AtTheEnd(const std::vector<double>& accuracies) {
  const auto count = std::min(kLastRounds, accuracies.size());
  const double sum =
      std::accumulate(accuracies.end() - static_cast<std::ptrdiff_t>(count), accuracies.end(), 0.0);
  return sum / static_cast<double>(count);
}

std::string FirstRoundAt(double goal, const std::vector<double>& accuracies) {
  const auto first = std::find_if(accuracies.begin(), accuracies.end(),
                                  [&](double accuracy) { return accuracy >= goal; });
  return first == accuracies.end() ? "never" : std::to_string(first - accuracies.begin());
}

Result<std::vector<double>> Play(const Algorithm& algorithm, Attack attack, const Settings& s) {
  return Accuracies(TRY(PlanOf(algorithm, s.rounds)), [&](const CollaboratorName& name) {
    return IsHostile(name) ? attack : Attack::kNone;
  });
}

Status CompareAlgorithms(const Settings& settings, Curves& curves) {
  std::printf("| algorithm | accuracy | best | rounds to %.2f |\n|---|---:|---:|---:|\n", kGoal);
  for (const Algorithm& algorithm : kAlgorithms) {
    const auto accuracies = TRY(Play(algorithm, Attack::kNone, settings));
    std::printf("| %s | %.4f | %.4f | %s |\n", algorithm.name.c_str(), AtTheEnd(accuracies),
                std::ranges::max(accuracies), FirstRoundAt(kGoal, accuracies).c_str());
    std::fflush(stdout);
    curves.Add(algorithm.name, accuracies);
  }
  return Ok();
}

Status CompareRules(const Settings& settings, Curves& curves) {
  std::printf("\n| rule |");
  for (const auto& [name, attack] : kAttacks) std::printf(" %s |", name.c_str());
  std::printf("\n|---|---:|---:|---:|\n");
  for (const Algorithm& rule : kRules) {
    std::printf("| %s |", rule.name.c_str());
    for (const auto& [name, attack] : kAttacks) {
      const auto accuracies = TRY(Play(rule, attack, settings));
      std::printf(" %.4f |", AtTheEnd(accuracies));
      std::fflush(stdout);
      curves.Add(rule.name + ", " + name, accuracies);
    }
    std::printf("\n");
  }
  return Ok();
}

Status Run(const Settings& settings) {
  Curves curves(settings.curves);
  TRY(CompareAlgorithms(settings, curves));
  TRY(CompareRules(settings, curves));
  return curves.Write();
}

bool ParseArguments(int argc, char** argv, Settings& settings) {
  const option options[] = {{"rounds", required_argument, nullptr, 'r'},
                            {"curves", required_argument, nullptr, 'c'},
                            {nullptr, 0, nullptr, 0}};
  for (int c = 0; (c = getopt_long(argc, argv, "", options, nullptr)) != -1;) {
    if (c == 'c') {
      settings.curves = optarg;
    } else if (c != 'r' || !Parse(optarg, settings.rounds)) {
      return false;
    }
  }
  return optind == argc;
}

}  // namespace
}  // namespace fx::bench

int main(int argc, char** argv) {
  fx::bench::Settings settings;
  if (!fx::bench::ParseArguments(argc, argv, settings)) {
    std::fputs(fx::bench::kUsage, stderr);
    return 2;
  }
  fx::SetLogLevel(fx::LogLevel::kError);
  const fx::Status done = fx::bench::Run(settings);
  if (!done) std::fputs(done.error().Render().c_str(), stderr);
  return done ? 0 : 1;
}
