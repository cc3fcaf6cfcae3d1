// scripts/bench aggregation: what a round costs, beside the least it could cost on this machine.
//
// Laps of the federation and of the bare exchange take turns, so that whatever else the machine
// does hits both; ratios of one run mean more than times.
#include <getopt.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/format.h"
#include "core/base/log.h"
#include "core/tensor/model_file.h"
#include "tests/bench/aggregation/arguments.h"
#include "tests/bench/aggregation/bare_exchange.h"
#include "tests/bench/aggregation/ceilings.h"
#include "tests/bench/aggregation/federation_lap.h"
#include "tests/bench/aggregation/world.h"

namespace fx::bench {
namespace {

constexpr const char* kUsage =
    "scripts/bench aggregation [--collaborators N] [--parameters P] [--tensors T] [--rounds R]\n"
    "                          [--laps L] [--light | --ends] [--json]\n"
    "\n"
    "Plays R rounds of N collaborators that exchange a model of P float32 parameters in T tensors\n"
    "with an aggregator over mutual TLS on this machine, and as many of the bare exchange, in L\n"
    "turns; prints what a round takes. Defaults: 8 collaborators, 10000000 parameters, 8 tensors,\n"
    "12 rounds, 3 laps. --light: collaborators that keep and train nothing, and no bare exchange,\n"
    "for the aggregator's memory with large models or many collaborators. --ends: for 1 to 64\n"
    "such collaborators, how long from the last result to the next model.\n";

struct Settings {
  Size size;
  int rounds = 12;
  int laps = 3;
  bool json = false;
  bool ends = false;
};

struct Figures {
  double best = 0, median = 0;            // seconds a round
  double end = 0;                         // median, last result to next model
  double server_cpu = 0, client_cpu = 0;  // seconds a round
  Memory server;
};

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[values.size() / 2];
}

Figures Summary(const std::vector<Lap>& laps) {
  if (laps.empty()) return {};
  std::vector<double> seconds;
  std::vector<double> ends;
  Figures figures;
  for (const Lap& lap : laps) {
    seconds.insert(seconds.end(), lap.seconds.begin(), lap.seconds.end());
    ends.insert(ends.end(), lap.end_seconds.begin(), lap.end_seconds.end());
    figures.server_cpu += lap.server_cpu;
    figures.client_cpu += lap.client_cpu;
    figures.server.peak_mb = std::max(figures.server.peak_mb, lap.server.peak_mb);
    figures.server.peak_anon_mb = std::max(figures.server.peak_anon_mb, lap.server.peak_anon_mb);
  }
  const auto rounds = static_cast<double>(seconds.size());
  figures.server_cpu /= rounds;
  figures.client_cpu /= rounds;
  figures.best = std::ranges::min(seconds);
  figures.median = Median(seconds);
  figures.end = Median(ends);
  return figures;
}

std::vector<std::string> Arguments(const char* role, const Settings& settings, int rounds,
                                   const Path& certificates, const Path& workspace) {
  return {role,
          std::to_string(settings.size.collaborators),
          std::to_string(settings.size.parameters),
          std::to_string(settings.size.tensors),
          std::to_string(rounds),
          certificates.string(),
          workspace.string()};
}

std::string Row(const char* name, const Figures& f, const Figures& bare) {
  std::string row =
      format("{:<14}{:>9.3f}{:>9.3f}{:>9.3f}{:>10.3f}{:>10.3f}{:>9.0f}{:>9.0f}", name, f.best,
             f.median, f.end, f.server_cpu, f.client_cpu, f.server.peak_mb, f.server.peak_anon_mb);
  if (bare.best > 0) {
    row += format("{:>8.2f}{:>8.2f}", f.best / bare.best, f.server_cpu / bare.server_cpu);
  }
  return row + "\n";
}

std::string Json(const char* name, const Figures& f) {
  return format(
      "\"{}\": {{\"best_s\": {:.4f}, \"median_s\": {:.4f}, \"end_s\": {:.4f}, \"server_cpu_s\": "
      "{:.4f}, \"client_cpu_s\": {:.4f}, \"peak_mb\": {:.1f}, \"peak_anon_mb\": {:.1f}}}",
      name, f.best, f.median, f.end, f.server_cpu, f.client_cpu, f.server.peak_mb,
      f.server.peak_anon_mb);
}

void Print(const Settings& s, const Figures& ours, const Figures& bare) {
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const double read = MemoryReadGbps(cores);
  const double aes = AesGcmGbps();
  const Plan plan = MakePlan(s.size, 1);
  const double mb = static_cast<double>(MapModelFile(ParameterLayout(plan.task_runner)).size) / 1e6;
  const double bytes_mb = 2 * mb * s.size.collaborators;
  std::string text;
  if (s.json) {
    text = format(
        "{{\"collaborators\": {}, \"parameters\": {}, \"tensors\": {}, \"rounds\": {}, "
        "\"bytes_mb\": {:.1f}, \"memory_read_gbps\": {:.1f}, \"aes_256_gcm_gbps\": {:.2f}, "
        "{}{}}}\n",
        s.size.collaborators, s.size.parameters, s.size.tensors, s.rounds, bytes_mb, read, aes,
        Json("fx", ours), bare.best > 0 ? ", " + Json("bare", bare) : "");
  } else {
    text = format(
        "{} collaborators x {} parameters in {} tensors, {} rounds in {} laps; {:.0f} MB a round\n"
        "this machine: {} cores read {:.1f} GB/s of memory; one encrypts {:.2f} GB/s "
        "AES-256-GCM\n\n",
        s.size.collaborators, s.size.parameters, s.size.tensors, s.rounds, s.laps, bytes_mb, cores,
        read, aes);
    text += format("{:<14}{:>9}{:>9}{:>9}{:>10}{:>10}{:>9}{:>9}{:>8}{:>8}\n", "a round", "best s",
                   "median", "end", "server", "clients", "peak", "anon.", "x best", "x CPU");
    text += format("{:<14}{:>9}{:>9}{:>9}{:>10}{:>10}{:>9}{:>9}\n", "", "", "", "", "CPU s",
                   "CPU s", "RSS MB", "RSS MB");
    text += Row("fx", ours, bare);
    if (bare.best > 0) text += Row("bare exchange", bare, bare);
  }
  std::fputs(text.c_str(), stdout);
}

struct Measured {
  Figures ours, bare;
};

Measured Measure(const Settings& settings) {
  test::TestPki pki;
  AddParties(pki, settings.size.collaborators);
  const int rounds = std::max(1, settings.rounds / settings.laps);
  std::vector<Lap> ours;
  std::vector<Lap> bare;
  for (int lap = 0; lap < settings.laps; ++lap) {
    const TempDir folder;
    const auto arguments = [&](const char* role) {
      return Arguments(role, settings, rounds, pki.cert_folder(), folder.path());
    };
    if (!settings.size.light) {
      bare.push_back(RunBare(settings.size, rounds, pki, arguments("serve-bare")));
    }
    ours.push_back(RunFederation(settings.size, rounds, pki, folder.path(), arguments("serve-fx")));
  }
  return {.ours = Summary(ours), .bare = Summary(bare)};
}

// The end of a round against the number of collaborators, as a bar each.
void PlotEnds(Settings settings) {
  constexpr int kMost = 64;
  constexpr double kColumns = 60;
  settings.size.light = true;
  std::vector<std::pair<int, double>> ends;
  double longest = 1e-3;
  for (int n = 1; n <= kMost; n *= 2) {
    settings.size.collaborators = n;
    ends.emplace_back(n, Measure(settings).ours.end);
    longest = std::max(longest, ends.back().second);
  }
  std::string text =
      format("from the last result to the next model, {} parameters\n\n", settings.size.parameters);
  for (const auto& [n, end] : ends) {
    const auto columns = static_cast<std::size_t>(kColumns * end / longest);
    text +=
        format("{:>4} collaborators {:>6.0f} ms  {}\n", n, end * 1000, std::string(columns, '#'));
  }
  std::fputs(text.c_str(), stdout);
}

void RunBench(const Settings& settings) {
  SetLogLevel(LogLevel::kWarning);
  if (settings.ends) return PlotEnds(settings);
  const Measured measured = Measure(settings);
  Print(settings, measured.ours, measured.bare);
}

std::optional<Settings> ParseOptions(int argc, char** argv) {
  const std::vector<option> options = {{"collaborators", required_argument, nullptr, 'c'},
                                       {"parameters", required_argument, nullptr, 'p'},
                                       {"tensors", required_argument, nullptr, 't'},
                                       {"rounds", required_argument, nullptr, 'r'},
                                       {"laps", required_argument, nullptr, 'l'},
                                       {"light", no_argument, nullptr, 'i'},
                                       {"ends", no_argument, nullptr, 'e'},
                                       {"json", no_argument, nullptr, 'j'},
                                       {}};
  Settings s;
  bool good = true;
  for (int c = 0; (c = getopt_long(argc, argv, "", options.data(), nullptr)) != -1;) {
    const std::string value = optarg == nullptr ? "" : optarg;
    if (c == 'c') good = good && Parse(value, s.size.collaborators);
    if (c == 'p') good = good && Parse(value, s.size.parameters);
    if (c == 't') good = good && Parse(value, s.size.tensors);
    if (c == 'r') good = good && Parse(value, s.rounds);
    if (c == 'l') good = good && Parse(value, s.laps);
    if (c == 'i') s.size.light = true;
    if (c == 'e') s.ends = true;
    if (c == 'j') s.json = true;
    if (c == '?') good = false;
  }
  good = good && optind == argc && s.size.parameters >= s.size.tensors;
  s.size.parameters -= s.size.parameters % s.size.tensors;
  if (!good) return std::nullopt;
  return s;
}

// The servers' side of Arguments. False: the arguments are a person's.
bool Serve(const std::vector<std::string>& arguments) {
  if (arguments.size() != 7) return false;
  Size size;
  int rounds = 0;
  if (!Parse(arguments[1], size.collaborators) || !Parse(arguments[2], size.parameters) ||
      !Parse(arguments[3], size.tensors) || !Parse(arguments[4], rounds)) {
    return false;
  }
  SetLogLevel(LogLevel::kWarning);
  if (arguments[0] == "serve-bare") ServeBare(size, arguments[5]);
  if (arguments[0] == "serve-fx") ServeAggregator(size, rounds, arguments[5], arguments[6]);
  return true;
}

}  // namespace
}  // namespace fx::bench

int main(int argc, char** argv) {
  return fx::bench::Main(argc, argv, fx::bench::kUsage, fx::bench::Serve, fx::bench::ParseOptions,
                         fx::bench::RunBench);
}
