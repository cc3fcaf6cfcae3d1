// The plan as a whole, and the sections that are settings and nothing else.
#include "plan/reference/meanings.h"

namespace fx {

namespace {

constexpr Meaning kMeanings[] = {
    {"aggregator", "which models the aggregator reads and writes, and for how many rounds"},
    {"collaborator", "what a site does between rounds"},
    {"data_loader", "how a site's data are read; where they lie is said by `data.yaml`"},
    {"task_runner", "the network, and how it is trained"},
    {"network", "where the aggregator is, and how it is reached"},
    {"assigner", "who runs which tasks, and how many take part in a round"},
    {"tasks", "what a site does in a round: a mapping, with a name for each task"},
    {"compression_pipeline", "weights travel as they are; no settings"},
    {"straggler_handling_policy",
     "when a round may close without everyone; without this section it waits for all"},

    {"SECTION.settings", "its settings", "`{}`"},
    {"SECTION.defaults",
     "a file inside the workspace whose keys apply where the section has none: first "
     "`settings`, key by key, then the other keys",
     "none"},

    {"aggregator.template", "the component; OpenFL's class path means the same"},
    {"aggregator.settings.init_state_path",
     "the model everyone starts from, a `.pbuf` file; written by `fx plan initialize`"},
    {"aggregator.settings.best_state_path", "the aggregated model with the best validation so far"},
    {"aggregator.settings.last_state_path", "the aggregated model of the last round"},
    {"aggregator.settings.rounds_to_train", "how often the models of the sites are aggregated"},
    {"aggregator.settings.db_store_rounds", "committed models are kept for so many rounds"},
    {"aggregator.settings.write_logs", "write `logs/<origin>_metrics.txt`, a JSON object a line"},
    {"aggregator.settings.max_update_bytes",
     "an update that announces more is refused before it is read; by default 4 GiB"},
    {"aggregator.settings.durability",
     "when an accepted result can survive a power cut: before its sender is told, or when its "
     "round is closed ([more](plan.md#durability))"},
    {"aggregator.settings.best_model", "which aggregated model is kept as the best", "none"},
    {"aggregator.settings.best_model.metric",
     "of the tasks that validate the aggregated model; without it, of the first such task its "
     "first "
     "metric that is no loss, else its first",
     "none"},
    {"aggregator.settings.best_model.direction", "what is better"},
    {"aggregator.settings.best_model.direction=by_name",
     "less of what is called a loss and of `mae`, more of everything else"},
    {"aggregator.settings.best_model.direction=max", "more"},
    {"aggregator.settings.best_model.direction=min", "less"},
    {"aggregator.settings.best_model.smoothing",
     "how much of the score before is kept: score = smoothing x the score before + (1 - smoothing) "
     "x the metric; a round by luck is then no best model (exponential smoothing, Brown 1956)"},
    {"aggregator.settings.early_stopping", "training may end before `rounds_to_train`", "none"},
    {"aggregator.settings.early_stopping.patience",
     "training stops after so many rounds in a row without a gain, fewer than `rounds_to_train`; "
     "the "
     "aggregate of the last of "
     "them is still made and validated (Prechelt 1998, \"Early Stopping - But When?\")",
     "needed"},
    {"aggregator.settings.early_stopping.min_delta",
     "a gain is more than this over the score of the last gain"},
    {"aggregator.settings.persist_checkpoint",
     "every round is always kept on disk; `false` is refused"},
    {"aggregator.settings.single_col_cert_common_name",
     "every collaborator has a certificate of its own; a name is refused", "`null`"},
    {"aggregator.settings.log_metric_callback",
     "a Python function, not called (OpenFL 1.6 does not either); use `write_logs`", "none"},

    {"collaborator.template", "the component; OpenFL's class path means the same"},
    {"collaborator.settings.opt_treatment",
     "what happens to the optimizer's state (momentum) between rounds: forgotten, kept by the "
     "site, or averaged like weights ([more](plan.md#state-of-optimizers))"},
    {"collaborator.settings.delta_updates",
     "without effect: whole weights are sent, which without compression is as small and exact"},
    {"collaborator.settings.db_store_rounds", "models of so many rounds are kept by a site"},
    {"collaborator.settings.device_assignment_policy", "training runs on the processor"},
    {"collaborator.settings.epochs_per_round",
     "in templates of OpenFL; read by nobody, there as here", "none"},
    {"collaborator.settings.polling_interval",
     "in templates of OpenFL; read by nobody, there as here", "none"},

    {"network.template", "the component; OpenFL's class path means the same"},
    {"network.settings.agg_addr",
     "host name or IP address of the aggregator, or auto, which `fx plan initialize -a FQDN` "
     "replaces"},
    {"network.settings.agg_port",
     "its port; `fx plan initialize` replaces auto by 49152 + a hash of the plan mod 11847"},
    {"network.settings.use_tls", "encrypt, and show certificates"},
    {"network.settings.tls", "the old name of `use_tls`", "`use_tls`"},
    {"network.settings.require_client_auth", "sites show certificates, too"},
    {"network.settings.disable_client_auth", "the old name of `require_client_auth`, its opposite",
     "not `require_client_auth`"},
    {"network.settings.client_reconnect_interval",
     "seconds between two attempts to reach the aggregator, at most"},
    {"network.settings.keep_alive",
     "seconds of silence after which either end asks whether the other is still there; below what "
     "a router or firewall in between forgets idle connections after ([more](plan.md#time))"},
    {"network.settings.cert_folder", "where certificates lie"},
    {"network.settings.hash_salt", "only changes the identity of the plan", "none"},

    {"compression_pipeline.template", "the component; OpenFL's class path means the same"},

    {"straggler_handling_policy.template", "the policy; OpenFL's class paths mean the same"},
    {"straggler_handling_policy.template=CutoffTimeBasedStragglerHandling",
     "once a time has passed since the first task of the round was handed out, the round closes "
     "as soon as enough sites are done"},
    {"straggler_handling_policy.template=PercentageBasedStragglerHandling",
     "the round closes as soon as a share of the sites is done"},
    {"straggler_handling_policy.template=WaitForAllPolicy", "the round waits for all"},
    {"straggler_handling_policy.settings.minimum_reporting",
     "never close a round with fewer sites"},
    {"straggler_handling_policy.settings.percent_collaborators_needed",
     "the share of the sites that is enough"},
    {"straggler_handling_policy.settings.straggler_cutoff_time", "seconds; `.inf` waits for all"},
};

}  // namespace

std::span<const Meaning> SectionMeanings() {
  return kMeanings;
}

}  // namespace fx
