// The sections that are settings and nothing else: aggregator, collaborator, network,
// compression_pipeline, straggler_handling_policy.
#include <cmath>
#include <limits>

#include "core/base/format.h"
#include "plan/read_best_model.h"
#include "plan/read_sections.h"
#include "plan/section_reader.h"

namespace fx {
namespace {

using Need = SectionReader::Need;
using Open = MappingReader::Open;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

void RequirePath(MappingReader& settings, std::string_view key, Path& path) {
  settings.Require(key, format("a path such as save/{}.pbuf", key.substr(0, key.find('_'))));
  settings.InsidePath(key, path);
}

// A key of OpenFL's that has only one value here.
void RequireValue(MappingReader& settings, std::string_view key, bool value, std::string_view why) {
  bool found = value;
  settings.Bool(key, found);
  if (found != value) settings.Complain(key, format("is {}, expected {}: {}", found, value, why));
}

void ReadUnused(MappingReader& settings, std::string_view key) {
  settings.Get(key);
  settings.Note(key, {.kind = "anything"});
}

// One setting under its old name and under its new one, which may be its opposite.
void ReadRenamedBool(MappingReader& settings, std::string_view new_name, std::string_view old_name,
                     bool opposite, bool& value) {
  settings.Note(old_name, {.kind = "true, false"});
  settings.Note(new_name, {.kind = "true, false"});
  const bool both = settings.Has(new_name) && settings.Has(old_name);
  bool old_value = value != opposite;
  if (settings.Has(old_name)) settings.Bool(old_name, old_value);
  bool new_value = old_value != opposite;
  if (settings.Has(old_name) && !both) {
    value = new_value;
    return;
  }
  settings.Bool(new_name, new_value);
  value = new_value;
  if (both && new_value != (old_value != opposite)) {
    settings.Complain(new_name, format("contradicts {}; keep one of the two", old_name));
  }
}

bool IsHost(const std::string& text) {
  constexpr std::size_t kLongestHost = 253;
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:";
  return text.size() <= kLongestHost && text.find_first_not_of(kAllowed) == std::string::npos;
}

void ReadAddress(MappingReader& settings, NetworkSettings& out) {
  std::string address = out.agg_addr;
  settings.Text("agg_addr", address);
  if (IsHost(address)) {
    out.agg_addr = address;
  } else {
    settings.Complain("agg_addr",
                      format("is \"{}\", expected a host name, an IP address or auto", address));
  }
  const YamlRef port = settings.Get("agg_port");
  settings.Note("agg_port", {.kind = "auto", .numbers = WholeNumbers(1, 65535)});
  if (!port) return settings.Assume("agg_port", "auto");
  if (port->is_string() && port->scalar.text == "auto") return;
  if (port->kind() == YamlKind::kInteger && port->scalar.integer >= 1 &&
      port->scalar.integer <= 65535) {
    out.agg_port = static_cast<std::uint16_t>(port->scalar.integer);
  } else {
    settings.Complain("agg_port", format("is {}, expected 1 to 65535 or auto", Describe(*port)));
  }
}

}  // namespace

void ReadAggregator(const YamlValue& plan, Complaints& complaints, AggregatorSettings& out) {
  SectionReader section(plan, "aggregator", Need::kRequired, complaints);
  int ignored = 0;
  section.Template({{"Aggregator", 0}}, ignored);
  MappingReader& s = section.settings();
  RequirePath(s, "init_state_path", out.init_state_path);
  RequirePath(s, "best_state_path", out.best_state_path);
  RequirePath(s, "last_state_path", out.last_state_path);
  s.Integer("rounds_to_train", out.rounds_to_train, 1, 1'000'000);
  s.Integer("db_store_rounds", out.db_store_rounds, 1, 1000);
  s.Bool("write_logs", out.write_logs);
  auto max_update = static_cast<std::int64_t>(out.max_update_bytes);
  s.Integer("max_update_bytes", max_update, 1024, 1LL << 42);
  out.max_update_bytes = static_cast<std::uint64_t>(max_update);
  int durability = static_cast<int>(out.durability);
  s.Pick("durability",
         {{"result", static_cast<int>(Durability::kResult)},
          {"round", static_cast<int>(Durability::kRound)}},
         durability);
  out.durability = static_cast<Durability>(durability);
  ReadBestModel(s, complaints, out.best_model);
  RequireValue(s, "persist_checkpoint", true, "every round is always kept on disk");
  s.Note("single_col_cert_common_name", {.kind = "null"});
  if (const YamlRef name = s.Get("single_col_cert_common_name"); name && !name->is_null()) {
    s.Complain("single_col_cert_common_name",
               "is not supported: every collaborator has a certificate of its own; remove the key");
  }
  ReadUnused(s, "log_metric_callback");  // a Python function, which OpenFL 1.6 never calls either
  section.Finish();
}

void ReadCollaborator(const YamlValue& plan, Complaints& complaints, CollaboratorSettings& out) {
  SectionReader section(plan, "collaborator", Need::kOptional, complaints);
  int ignored = 0;
  section.Template({{"Collaborator", 0}}, ignored);
  MappingReader& s = section.settings();
  int treatment = static_cast<int>(out.opt_treatment);
  s.Pick("opt_treatment",
         {{"RESET", static_cast<int>(OptTreatment::kReset)},
          {"CONTINUE_LOCAL", static_cast<int>(OptTreatment::kContinueLocal)},
          {"CONTINUE_GLOBAL", static_cast<int>(OptTreatment::kContinueGlobal)}},
         treatment);
  out.opt_treatment = static_cast<OptTreatment>(treatment);
  // Either way whole weights are sent, which without compression is as small and exact.
  s.Bool("delta_updates", out.delta_updates);
  s.Integer("db_store_rounds", out.db_store_rounds, 1, 1000);
  int device = 0;
  s.Pick("device_assignment_policy", {{"CPU_ONLY", 0}}, device);
  // In templates of OpenFL, and read by nobody.
  ReadUnused(s, "epochs_per_round");
  ReadUnused(s, "polling_interval");
  section.Finish();
}

void ReadNetwork(const YamlValue& plan, Complaints& complaints, NetworkSettings& out) {
  SectionReader section(plan, "network", Need::kOptional, complaints);
  int ignored = 0;
  section.Template({{"Network", 0}}, ignored);
  MappingReader& s = section.settings();
  ReadAddress(s, out);
  ReadRenamedBool(s, "use_tls", "tls", false, out.tls);
  ReadRenamedBool(s, "require_client_auth", "disable_client_auth", true, out.require_client_auth);
  s.Integer("client_reconnect_interval", out.client_reconnect_interval, 1, 3600);
  s.Integer("keep_alive", out.keep_alive, 1, 3600);
  s.InsidePath("cert_folder", out.cert_folder);
  ReadUnused(s, "hash_salt");  // part of the identity, of no other use
  section.Finish();
}

void ReadCompressionPipeline(const YamlValue& plan, Complaints& complaints) {
  SectionReader section(plan, "compression_pipeline", Need::kOptional, complaints);
  int ignored = 0;
  section.Template({{"NoCompressionPipeline", 0}}, ignored);
  section.Finish();
}

void ReadStragglerPolicy(const YamlValue& plan, Complaints& complaints, StragglerPolicy& out) {
  enum Policy { kCutoff, kPercentage, kWaitForAll };
  SectionReader section(plan, "straggler_handling_policy", Need::kOptional, complaints);
  int policy = kCutoff;
  section.Template({{"CutoffTimeBasedStragglerHandling", kCutoff},
                    {"CutoffTimePolicy", kCutoff},
                    {"PercentageBasedStragglerHandling", kPercentage},
                    {"PercentagePolicy", kPercentage},
                    {"WaitForAllPolicy", kWaitForAll}},
                   policy);
  MappingReader& s = section.settings();
  if (policy != kWaitForAll) {
    std::uint32_t minimum = 1;
    s.Integer("minimum_reporting", minimum, 1, 1'000'000);
    out.minimum_reporting = minimum;
  }
  if (policy == kPercentage)
    s.Real("percent_collaborators_needed", out.percent_needed, 0, 1, Open::kLow);
  if (policy == kCutoff) {
    constexpr double kMillisecond = 1e-3;
    double seconds = kInfinity;
    s.Real("straggler_cutoff_time", seconds, kMillisecond, kInfinity);
    constexpr double kForever = 1e9;  // thirty years
    if (seconds < kForever) out.cutoff_ms = std::llround(seconds / kMillisecond);
  }
  section.Finish();
}

}  // namespace fx
