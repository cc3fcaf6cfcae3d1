#include "tests/transcripts/print.h"

#include <sstream>
#include <utility>
#include <variant>

namespace fx::aggregator {
namespace {

std::ostream& operator<<(std::ostream& out, Round r) {
  return out << Number(r);
}
std::ostream& operator<<(std::ostream& out, RequestId r) {
  return out << "#" << static_cast<std::uint64_t>(r);
}
template <typename Tag>
std::ostream& operator<<(std::ostream& out, const StrongName<Tag>& name) {
  return out << (name.value.empty() ? "-" : name.value);
}

template <typename Range>
std::string List(const Range& range) {
  std::ostringstream out;
  const char* gap = "";
  for (const auto& item : range) out << std::exchange(gap, " ") << item;
  return "[" + out.str() + "]";
}

struct Printer {
  std::ostream& out;

  void operator()(const RoundOpened& r) const {
    out << "= RoundOpened " << r.round << " model=" << r.model;
    for (const auto& [who, tasks] : r.assignments) out << " " << who << List(tasks);
    if (r.wanted > 0) out << " wanted=" << r.wanted;
  }
  void operator()(const DeadlineSet& r) const { out << "= DeadlineSet " << Count(r.deadline); }
  void operator()(const ResultAccepted& r) const {
    out << "= ResultAccepted " << r.who << "/" << r.task << " " << r.update << "*" << r.num_samples;
    for (const Metric& m : r.metrics) out << " " << m.name << "=" << m.value;
  }
  void operator()(const RoundClosed& r) const {
    out << "= RoundClosed stragglers=" << List(r.stragglers);
    if (r.forgets) out << " forgets";
    for (const AggregatedMetric& m : r.metrics) {
      out << " " << m.task << "/" << m.metric.name << "=" << m.metric.value;
    }
  }
  void operator()(const BestModelChosen& r) const {
    out << "= BestModelChosen " << r.round << " " << r.model << " " << r.metric << "=" << r.score;
  }
  void operator()(const ModelCommitted& r) const { out << "= ModelCommitted " << r.model; }
  void operator()(const FederationFinished&) const { out << "= FederationFinished"; }
  void operator()(const ResultsLost& r) const {
    out << "= ResultsLost";
    for (const auto& [who, task] : r.results) out << " " << who << "/" << task;
  }
  void operator()(const SiteFailed& r) const {
    out << "= SiteFailed " << r.who << "/" << r.task << " " << r.reason;
  }
  void operator()(const ModelScored& r) const {
    out << "= ModelScored " << r.score << " bar=" << r.bar << " stalled=" << r.stalled;
  }
  void operator()(const TrainingStopped& r) const { out << "= TrainingStopped " << r.reason; }
  void operator()(const SiteLeft& r) const { out << "= SiteLeft " << r.who; }
  void operator()(const PauseSet& r) const { out << "= PauseSet " << (r.on ? "on" : "off"); }

  void operator()(const ReplyTasks& a) const {
    out << "> ReplyTasks " << a.request << " round=" << a.round << " model=" << a.model << " "
        << List(a.tasks);
    if (!a.counted.value.empty()) out << " counted=" << a.counted;
  }
  void operator()(const ReplyWait& a) const { out << "> ReplyWait " << a.request; }
  void operator()(const ReplyQuit& a) const { out << "> ReplyQuit " << a.request; }
  void operator()(const ReplyAccepted& a) const { out << "> ReplyAccepted " << a.request; }
  void operator()(const ReplyRejected& a) const {
    out << "> ReplyRejected " << a.request << " " << a.reason;
  }
  void operator()(const AggregateRound& a) const {
    out << "> AggregateRound " << a.round << " base=" << a.base;
    if (a.forgets) out << " forgets";
    for (const auto& [task, contributions] : a.tasks) {
      const char* gap = "";
      out << " " << task << "[";
      for (const Contribution& c : contributions) {
        out << std::exchange(gap, " ") << c.who << ":" << c.update << "*" << c.num_samples;
      }
      out << "]";
    }
  }
  void operator()(const SaveBestModel& a) const {
    out << "> SaveBestModel " << a.model << " round=" << a.round;
  }
  void operator()(const SaveLastModel& a) const {
    out << "> SaveLastModel " << a.model << " round=" << a.round;
  }
  void operator()(const WakeWaiters&) const { out << "> WakeWaiters"; }
  void operator()(const Prune& a) const {
    out << "> Prune before=" << a.round << " keep=" << List(a.keep);
  }
  void operator()(const Shutdown&) const { out << "> Shutdown"; }
  void operator()(const Pause&) const { out << "> Pause"; }
};

template <typename Variant>
std::string PrintAny(const Variant& variant) {
  std::ostringstream out;
  out.precision(10);
  std::visit(Printer{out}, variant);
  return out.str();
}

}  // namespace

std::string Print(const Record& record) {
  return PrintAny(record);
}
std::string Print(const Action& action) {
  return PrintAny(action);
}

}  // namespace fx::aggregator
