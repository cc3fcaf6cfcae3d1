#!/usr/bin/env bash
# kill -9 of the aggregator and of the sites, at moments drawn from seeds: started again with the
# same command, the federation ends by itself with the same models, byte for byte.
#
#   kill_anywhere.sh [adam|scaffold|stop]
#
# stop: with SIGTERM instead, which must end each within seconds.
#   SEEDS="1 2 3" KILLS=12  change what is tried
driver=$(realpath "$(dirname "$0")")/kill_anywhere.py
source "$(dirname "$0")/common.inc"

seeds=${SEEDS:-1 2 3}
kills=${KILLS:-12}

how=()
[ "${1:-adam}" != stop ] || how=(--stop)
case ${1:-adam} in
  adam | stop)  # an optimizer at the aggregator, whose state must not be lost nor advanced twice
    function='aggregation_type: {template: FedAdam, settings: {learning_rate: 0.02}}'
    optimizer='type: adam'
    ;;
  scaffold)  # control variates, of which a site's and the aggregator's must stay together
    function='aggregation_type: {template: SCAFFOLD}'
    optimizer='type: sgd'
    ;;
esac
prepare_federation 4 "s|^    function: train\$|&\n    $function|; s|type: adam\$|$optimizer|"
grep -qxF "    $function" plan/plan.yaml || fail "the plan says nothing of $function"
grep -qxF "      $optimizer" plan/plan.yaml || fail "the plan says nothing of $optimizer"
cp -a "$work" "$work.prepared"
trap 'rm -rf "$work.prepared"; cleanup' EXIT
run_federation
if [ "${1:-adam}" != scaffold ]; then
  [ "$(ls local_state/aggregator/*/memory | wc -l)" -ge 2 ] || fail "nothing of FedAdam is kept"
else
  grep -q __control_samples save/last.pbuf || fail "the model has no control variates"
fi
undisturbed="$(sha256 save/last.pbuf) $(sha256 save/best.pbuf)"
lines=$(wc -l <logs/aggregator_metrics.txt)

for seed in $seeds; do
  rm -rf "$aggregator" "$site1" "$site2"
  cp -a "$work.prepared/aggregator/WS" "$aggregator"
  cp -a "$work.prepared/site1/WS" "$site1"
  cp -a "$work.prepared/site2/WS" "$site2"
  /usr/bin/python3 "$driver" "${how[@]}" "$FX" "$seed" "$kills" "$aggregator" \
    "site1=$site1" "site2=$site2" ||
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
