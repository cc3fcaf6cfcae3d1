#include "aggregator/store/record_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/format.h"

namespace fx::aggregator {
namespace {

using Json = nlohmann::ordered_json;

// JSON has no NaN and no infinity.
Json FromDouble(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

double ToDouble(const Json& value) {
  if (value.is_number()) return value.get<double>();
  const auto text = value.get<std::string>();
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  return std::numeric_limits<double>::quiet_NaN();
}

Json FromMetric(const Metric& metric) {
  return {{"name", metric.name}, {"value", FromDouble(metric.value)}};
}

Metric ToMetric(const Json& json) {
  return {.name = json.at("name"), .value = ToDouble(json.at("value"))};
}

template <typename Range>
Json FromNames(const Range& names) {
  Json list = Json::array();
  for (const auto& name : names) list.push_back(name.value);
  return list;
}

struct Writer {
  Json operator()(const RoundOpened& r) const {
    Json assignments = Json::object();
    for (const auto& [who, tasks] : r.assignments) assignments[who.value] = FromNames(tasks);
    return {{"round", Number(r.round)},
            {"model", r.model.value},
            {"assignments", assignments},
            {"wanted", r.wanted}};
  }
  Json operator()(const DeadlineSet& r) const { return {{"deadline", Count(r.deadline)}}; }
  Json operator()(const ResultAccepted& r) const {
    Json metrics = Json::array();
    for (const Metric& metric : r.metrics) metrics.push_back(FromMetric(metric));
    return {{"who", r.who.value},
            {"task", r.task.value},
            {"update", r.update.value},
            {"num_samples", r.num_samples},
            {"metrics", metrics}};
  }
  Json operator()(const RoundClosed& r) const {
    Json metrics = Json::array();
    for (const AggregatedMetric& m : r.metrics) {
      Json metric = {{"task", m.task.value}};
      metric.update(FromMetric(m.metric));
      metrics.push_back(std::move(metric));
    }
    return {{"stragglers", FromNames(r.stragglers)},
            {"contributors", FromNames(r.contributors)},
            {"metrics", metrics},
            {"forgets", r.forgets}};
  }
  Json operator()(const BestModelChosen& r) const {
    return {{"round", Number(r.round)},
            {"model", r.model.value},
            {"metric", r.metric},
            {"score", FromDouble(r.score)}};
  }
  Json operator()(const ModelCommitted& r) const { return {{"model", r.model.value}}; }
  Json operator()(const FederationFinished&) const { return Json::object(); }
  Json operator()(const ResultsLost& r) const {
    Json results = Json::array();
    for (const auto& [who, task] : r.results) {
      results.push_back({{"who", who.value}, {"task", task.value}});
    }
    return {{"results", results}};
  }
  Json operator()(const SiteFailed& r) const {
    return {{"who", r.who.value}, {"task", r.task.value}, {"reason", r.reason}};
  }
  Json operator()(const ModelScored& r) const {
    return {{"score", FromDouble(r.score)}, {"bar", FromDouble(r.bar)}, {"stalled", r.stalled}};
  }
  Json operator()(const TrainingStopped& r) const { return {{"reason", r.reason}}; }
  Json operator()(const SiteLeft& r) const { return {{"who", r.who.value}}; }
  Json operator()(const PauseSet& r) const { return {{"on", r.on}}; }
};

// Below, nlohmann throws on whatever is missing or of another type; FromJson catches.

// By itself it would cut a fraction, or a number too large, to what fits.
template <typename T>
T ToInteger(const Json& json) {
  const bool fits = json.is_number_unsigned()
                        ? std::in_range<T>(json.get<std::uint64_t>())
                        : json.is_number_integer() && std::in_range<T>(json.get<std::int64_t>());
  if (!fits) static_cast<void>(json.get_ref<const Json::object_t&>());  // which it is not: throws
  return json.get<T>();
}

int VersionOf(const Json& json) {
  return ToInteger<int>(json.at("v"));
}

Round ToRound(const Json& json) {
  return Round{ToInteger<std::uint32_t>(json.at("round"))};
}

Record ReadRoundOpened(const Json& json) {
  RoundOpened r{.round = ToRound(json), .model = {json.at("model")}, .assignments = {}};
  for (const auto& [who, tasks] : json.at("assignments").items()) {
    std::vector<TaskName>& list = r.assignments[CollaboratorName{who}];
    for (const Json& task : tasks) list.push_back({task});
  }
  if (VersionOf(json) >= 2) r.wanted = ToInteger<std::size_t>(json.at("wanted"));
  return r;
}

Record ReadDeadlineSet(const Json& json) {
  return DeadlineSet{TimeMs{ToInteger<std::int64_t>(json.at("deadline"))}};
}

Record ReadResultAccepted(const Json& json) {
  ResultAccepted r{.who = {json.at("who")},
                   .task = {json.at("task")},
                   .update = {json.at("update")},
                   .num_samples = ToInteger<std::int64_t>(json.at("num_samples")),
                   .metrics = {}};
  for (const Json& metric : json.at("metrics")) r.metrics.push_back(ToMetric(metric));
  return r;
}

Record ReadRoundClosed(const Json& json) {
  RoundClosed r{};
  for (const Json& who : json.at("stragglers")) r.stragglers.insert({who});
  for (const Json& metric : json.at("metrics")) {
    r.metrics.push_back({.task = {metric.at("task")}, .metric = ToMetric(metric)});
  }
  if (VersionOf(json) < 2) return r;
  for (const Json& who : json.at("contributors")) r.contributors.push_back({who});
  r.forgets = json.at("forgets").get<bool>();
  return r;
}

Record ReadBestModelChosen(const Json& json) {
  return BestModelChosen{.round = ToRound(json),
                         .model = {json.at("model")},
                         .metric = json.at("metric"),
                         .score = ToDouble(json.at("score"))};
}

Record ReadModelCommitted(const Json& json) {
  return ModelCommitted{{json.at("model")}};
}

Record ReadFederationFinished(const Json&) {
  return FederationFinished{};
}

Record ReadResultsLost(const Json& json) {
  ResultsLost r;
  for (const Json& result : json.at("results")) {
    r.results.push_back({.who = {result.at("who")}, .task = {result.at("task")}});
  }
  return r;
}

Record ReadSiteFailed(const Json& json) {
  return SiteFailed{
      .who = {json.at("who")}, .task = {json.at("task")}, .reason = json.at("reason")};
}

Record ReadModelScored(const Json& json) {
  return ModelScored{.score = ToDouble(json.at("score")),
                     .bar = ToDouble(json.at("bar")),
                     .stalled = ToInteger<std::uint32_t>(json.at("stalled"))};
}

Record ReadTrainingStopped(const Json& json) {
  return TrainingStopped{json.at("reason")};
}

Record ReadSiteLeft(const Json& json) {
  return SiteLeft{{json.at("who")}};
}

Record ReadPauseSet(const Json& json) {
  return PauseSet{json.at("on").get<bool>()};
}

struct RecordType {
  std::string_view name;
  Record (*read)(const Json&);
};

// In the order of the alternatives of Record.
constexpr std::array kTypes = {
    RecordType{"RoundOpened", ReadRoundOpened},
    RecordType{"DeadlineSet", ReadDeadlineSet},
    RecordType{"ResultAccepted", ReadResultAccepted},
    RecordType{"RoundClosed", ReadRoundClosed},
    RecordType{"BestModelChosen", ReadBestModelChosen},
    RecordType{"ModelCommitted", ReadModelCommitted},
    RecordType{"FederationFinished", ReadFederationFinished},
    RecordType{"ResultsLost", ReadResultsLost},
    RecordType{"SiteFailed", ReadSiteFailed},
    RecordType{"ModelScored", ReadModelScored},
    RecordType{"TrainingStopped", ReadTrainingStopped},
    RecordType{"SiteLeft", ReadSiteLeft},
    RecordType{"PauseSet", ReadPauseSet},
};
static_assert(kTypes.size() == std::variant_size_v<Record>);

tl::unexpected<Error> TooNew(std::string what) {
  return Fail(Error(ErrorCode::kFailedPrecondition, std::move(what))
                  .Hint("use the version of fx that wrote the journal, or a newer one"));
}

}  // namespace

std::string_view TypeOf(const Record& record) {
  return kTypes.at(record.index()).name;
}

std::string ToJson(const Record& record) {
  Json json = {{"v", kPayloadVersion}};
  json.update(std::visit(Writer{}, record));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Record> FromJson(std::string_view type, std::string_view payload) {
  const auto* known = std::ranges::find(kTypes, type, &RecordType::name);
  if (known == kTypes.end()) return TooNew(format("its type {} is unknown here", type));
  try {
    const Json json = Json::parse(payload);
    if (const int version = VersionOf(json); version > kPayloadVersion) {
      return TooNew(
          format("its payload has version {}, expected at most {}", version, kPayloadVersion));
    }
    return known->read(json);
  } catch (const Json::exception& e) {
    return Fail(ErrorCode::kDataLoss, format("its payload cannot be read: {}", e.what()));
  }
}

}  // namespace fx::aggregator
