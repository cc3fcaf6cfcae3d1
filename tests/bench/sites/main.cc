// scripts/bench sites: many collaborators at once, each with a certificate and a connection of its
// own, and what the aggregator gives each of them.
#include <getopt.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "aggregator/state_folder.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "rpc/pbuf.h"
#include "tests/bench/aggregation/arguments.h"
#include "tests/bench/aggregation/child.h"
#include "tests/bench/aggregation/federation_lap.h"
#include "tests/bench/aggregation/light_collaborator.h"
#include "tests/bench/aggregation/world.h"
#include "tests/support/must.h"

namespace fx::bench {
namespace {

using test::Must;

constexpr const char* kUsage =
    "scripts/bench sites [--collaborators N] [--parameters P] [--rounds R] [--idle S] [--json]\n"
    "\n"
    "Plays R rounds with N collaborators, all connected over mutual TLS from one process (100 of\n"
    "them connect at once), and a model of P float32 parameters. In the middle round one of them\n"
    "keeps its result for S seconds, so that all others wait at their long poll. Defaults: 300 "
    "collaborators, 10000\n"
    "parameters, 10 rounds, 10 seconds. `wait` is how long an answer to GetTasks took from the\n"
    "moment there was one: from the call, or from the beginning of the round if that was later.\n";

struct Settings {
  Size size{.collaborators = 300, .parameters = 10'000, .tensors = 4, .light = true};
  int rounds = 10;
  int idle = 10;  // seconds
  bool json = false;
};

// Handshakes are most of the work on a machine that has to do both sides of them.
constexpr int kConnectAtOnce = 100;

TimeMs Now() {
  using std::chrono::milliseconds;
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return TimeMs{std::chrono::duration_cast<milliseconds>(since_epoch).count()};
}

// Nothing happens for so long; that is what is measured.
void Pass(double seconds) {
  std::promise<void> never;
  static_cast<void>(never.get_future().wait_for(std::chrono::duration<double>(seconds)));
}

struct Answer {
  Round round;
  TimeMs asked, came;
};

struct Figures {
  std::size_t served = 0;  // pairs of a collaborator and a round, each once
  std::vector<double> waits;
  std::vector<double> rounds;  // seconds
  double cpu = 0;              // of the aggregator, a round
  double idle_cpu = 0;         // of a core, while all but one wait
  Memory memory;
};

// The load: one thread a collaborator.
class Sites {
 public:
  Sites(const Settings& settings, const Plan& plan, const Child& child)
      : settings_(settings), plan_(plan), child_(child), answers_(plan.authorized.size()) {}

  void Play(const test::TestPki& pki, const Path& workspace);
  Figures Summary(const std::vector<std::pair<Round, TimeMs>>& begins) const;

 private:
  void Wait(int number, Round round);

  const Settings& settings_;
  const Plan& plan_;
  const Child& child_;
  std::vector<std::vector<Answer>> answers_;  // of each collaborator
  double idle_cpu_ = 0;
};

void Sites::Play(const test::TestPki& pki, const Path& workspace) {
  const TaskResult update = PrepareUpdate(plan_, workspace);
  std::counting_semaphore connecting(kConnectAtOnce);
  std::vector<std::jthread> sites;
  for (int i = 0; i < settings_.size.collaborators; ++i) {
    connecting.acquire();
    sites.emplace_back([&, i] {
      std::vector<Answer>& answers = answers_[static_cast<std::size_t>(i)];
      TimeMs asked{};
      Run({.plan = plan_,
           .name = NameOf(i),
           .port = child_.port(),
           .workspace = workspace,
           .update = update,
           .begins = [&](Round round) { Wait(i, round); },
           .asks = [&] { asked = Now(); },
           .is_answered =
               [&](Round round) {
                 if (answers.empty()) connecting.release();
                 answers.push_back({round, asked, Now()});
               }},
          pki.CollaboratorBundle(NameOf(i).value));
    });
  }
}

void Sites::Wait(int number, Round round) {
  if (number != 0 || Number(round) != static_cast<std::uint32_t>(settings_.rounds / 2)) return;
  // The others are done with the round after a part of the time.
  const double half = settings_.idle / 2.0;
  Pass(half);
  const double before = child_.CpuSeconds();
  Pass(half);
  idle_cpu_ = (child_.CpuSeconds() - before) / half;
}

Figures Sites::Summary(const std::vector<std::pair<Round, TimeMs>>& begins) const {
  const std::map<Round, TimeMs> opened(begins.begin(), begins.end());
  Figures figures;
  figures.idle_cpu = idle_cpu_;
  for (const auto& answers : answers_) {
    std::map<Round, int> times;
    for (const auto& [round, asked, came] : answers) {
      ++times[round];
      if (round == Round{}) continue;  // connects
      const TimeMs since = std::max(asked, opened.at(round));
      figures.waits.push_back(static_cast<double>(Count(came) - Count(since)) / 1000);
    }
    for (const auto& [round, count] : times) figures.served += count == 1 ? 1 : 0;
  }
  for (std::size_t i = 1; i + 1 < begins.size(); ++i) {
    if (Number(begins[i].first) == static_cast<std::uint32_t>(settings_.rounds / 2)) continue;
    figures.rounds.push_back(
        static_cast<double>(Count(begins[i + 1].second) - Count(begins[i].second)) / 1000);
  }
  std::ranges::sort(figures.waits);
  std::ranges::sort(figures.rounds);
  return figures;
}

std::vector<std::pair<Round, TimeMs>> ReadBegins(const Plan& plan, const Path& workspace) {
  auto state = Must(aggregator::StateFolder::Open(aggregator::StatePath(workspace, plan), plan));
  std::vector<std::pair<Round, TimeMs>> begins;
  for (const aggregator::Journal::Entry& entry : Must(state.journal.Load())) {
    const auto* opened = std::get_if<aggregator::RoundOpened>(&entry.record);
    if (opened != nullptr) begins.emplace_back(opened->round, entry.at);
  }
  return begins;
}

double Quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

void Print(const Settings& s, const Figures& f) {
  const int wanted = s.size.collaborators * s.rounds;
  const auto ms = [&](double q) { return 1000 * Quantile(f.waits, q); };
  const char* const text =
      s.json ? "{{\"collaborators\": {}, \"parameters\": {}, \"rounds\": {}, \"served\": {}, "
               "\"wanted\": {}, \"wait_median_ms\": {:.0f}, \"wait_p99_ms\": {:.0f}, "
               "\"wait_max_ms\": {:.0f}, \"round_median_s\": {:.3f}, \"round_max_s\": {:.3f}, "
               "\"cpu_s\": {:.3f}, \"idle_cpu\": {:.3f}, \"peak_mb\": {:.0f}}}\n"
             : "{} collaborators x {} parameters, {} rounds\n\n"
               "served, each in each round once  {} of {}\n"
               "wait for GetTasks                median {:.0f} ms, p99 {:.0f} ms, most {:.0f} ms\n"
               "a round                          median {:.3f} s, most {:.3f} s\n"
               "aggregator                       {:.3f} CPU s a round, {:.3f} of a core while all "
               "wait, peak RSS {:.0f} MB\n";
  const std::string line =
      fmt::format(fmt::runtime(text), s.size.collaborators, s.size.parameters, s.rounds, f.served,
                  wanted, ms(0.5), ms(0.99), ms(1), Quantile(f.rounds, 0.5), Quantile(f.rounds, 1),
                  f.cpu, f.idle_cpu, f.memory.peak_mb);
  std::fputs(line.c_str(), stdout);
}

void RunBench(const Settings& settings) {
  SetLogLevel(LogLevel::kWarning);
  test::TestPki pki;
  AddParties(pki, settings.size.collaborators);
  const TempDir folder;
  const Plan plan = MakePlan(settings.size, settings.rounds);
  const Path init = folder.path() / plan.aggregator.init_state_path;
  Must(MakeFolders(init.parent_path()));
  Must(WritePbuf(init, MakeModel(plan), 0));
  Child child({"serve-fx", std::to_string(settings.size.collaborators),
               std::to_string(settings.size.parameters), std::to_string(settings.rounds),
               pki.cert_folder().string(), folder.path().string()});
  Sites sites(settings, plan, child);
  sites.Play(pki, folder.path());
  const double cpu = child.CpuSeconds();
  const Memory memory = child.Finish();
  Figures figures = sites.Summary(ReadBegins(plan, folder.path()));
  figures.cpu = cpu / settings.rounds;
  figures.memory = memory;
  Print(settings, figures);
}

std::optional<Settings> ParseOptions(int argc, char** argv) {
  const std::vector<option> options = {{"collaborators", required_argument, nullptr, 'c'},
                                       {"parameters", required_argument, nullptr, 'p'},
                                       {"rounds", required_argument, nullptr, 'r'},
                                       {"idle", required_argument, nullptr, 'i'},
                                       {"json", no_argument, nullptr, 'j'},
                                       {}};
  Settings s;
  bool good = true;
  for (int c = 0; (c = getopt_long(argc, argv, "", options.data(), nullptr)) != -1;) {
    const std::string value = optarg == nullptr ? "" : optarg;
    if (c == 'c') good = good && Parse(value, s.size.collaborators);
    if (c == 'p') good = good && Parse(value, s.size.parameters);
    if (c == 'r') good = good && Parse(value, s.rounds) && s.rounds > 2;
    if (c == 'i') good = good && Parse(value, s.idle);
    if (c == 'j') s.json = true;
    if (c == '?') good = false;
  }
  good = good && optind == argc && s.size.parameters >= s.size.tensors;
  s.size.parameters -= s.size.parameters % s.size.tensors;
  if (!good) return std::nullopt;
  return s;
}

// The aggregator's side; false: the arguments are a person's.
bool Serve(const std::vector<std::string>& arguments) {
  Settings s;
  if (arguments.size() != 6 || arguments[0] != "serve-fx") return false;
  if (!Parse(arguments[1], s.size.collaborators) || !Parse(arguments[2], s.size.parameters) ||
      !Parse(arguments[3], s.rounds)) {
    return false;
  }
  SetLogLevel(LogLevel::kWarning);
  ServeAggregator(s.size, s.rounds - 1, arguments[4], arguments[5]);
  return true;
}

}  // namespace
}  // namespace fx::bench

int main(int argc, char** argv) {
  return fx::bench::Main(argc, argv, fx::bench::kUsage, fx::bench::Serve, fx::bench::ParseOptions,
                         fx::bench::RunBench);
}
