#!/usr/bin/env bash
# kill -9 of the aggregator and of the sites, at moments drawn from seeds: started again with the
# same command, the federation ends by itself with the same models, byte for byte.
#
#   SEEDS="1 2 3" KILLS=12  change what is tried
driver=$(realpath "$(dirname "$0")")/kill_anywhere.py
source "$(dirname "$0")/common.inc"

seeds=${SEEDS:-1 2 3}
kills=${KILLS:-12}

# An optimizer at the aggregator, whose state must be neither lost nor advanced twice.
adam='aggregation_type: {template: FedAdam, settings: {learning_rate: 0.02}}'
prepare_federation 4 "s|^    function: train\$|&\n    $adam|"
grep -q FedAdam plan/plan.yaml || fail "the plan says nothing of FedAdam"
cp -a "$work" "$work.prepared"
trap 'rm -rf "$work.prepared"; cleanup' EXIT
run_federation
[ "$(ls local_state/aggregator/*/memory | wc -l)" -ge 2 ] || fail "nothing of FedAdam is kept"
undisturbed="$(sha256 save/last.pbuf) $(sha256 save/best.pbuf)"
lines=$(wc -l <logs/aggregator_metrics.txt)

for seed in $seeds; do
  rm -rf "$aggregator" "$site1" "$site2"
  cp -a "$work.prepared/aggregator/WS" "$aggregator"
  cp -a "$work.prepared/site1/WS" "$site1"
  cp -a "$work.prepared/site2/WS" "$site2"
  /usr/bin/python3 "$driver" "$FX" "$seed" "$kills" "$aggregator" "site1=$site1" "site2=$site2" ||
    { tail -n 30 {"$aggregator","$site1","$site2"}/process.err; fail "seed $seed"; }
  cd "$aggregator"
  [ "$(sha256 save/last.pbuf) $(sha256 save/best.pbuf)" = "$undisturbed" ] ||
    fail "seed $seed: the models differ from those of the undisturbed run"
  [ "$(wc -l <logs/aggregator_metrics.txt)" = "$lines" ] ||
    fail "seed $seed: metrics lost or repeated"
  twice=$(sqlite3 local_state/aggregator/*/journal.db \
    "SELECT count(*) - count(DISTINCT round || '/' || json_extract(payload, '\$.who') || '/' ||
            json_extract(payload, '\$.task')) FROM record WHERE type = 'ResultAccepted'")
  [ "$twice" = 0 ] || fail "seed $seed: $twice results were counted twice"
done
