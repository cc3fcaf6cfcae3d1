#!/usr/bin/env bash
# With FedCurv the model carries sums over all sites, and each site its part of them. One that has
# lost its part says so and ends, and the round goes on without it; removed and added it takes part
# again, and what it had in the sums is gone.
source "$(dirname "$0")/common.inc"

function='aggregation_type: {template: FedCurv, settings: {lambda: 0.01}}'
prepare_federation 100000 "s|^    function: train\$|&\n    $function|"
journal() { sqlite3 "$aggregator"/local_state/aggregator/*/journal.db "$1"; }
forgotten() {
  journal "SELECT count(*) FROM record
           WHERE type = 'RoundClosed' AND json_extract(payload, '\$.forgets')"
}

start_aggregator
start_site 1
start_site 2
cd "$aggregator"
rounds_pass 2
[ "$(forgotten)" = 0 ] || fail "something is forgotten before anybody has left"

kill -KILL "${process[site2]}"
wait "${process[site2]}" 2>"$work/killed.err" || true
rm -rf "$site2/local_state"
start_site 2
code=0
wait "${process[site2]}" || code=$?
[ "$code" -eq 1 ] || fail "site2 ended with $code instead of 1"
grep -q "the part of its sums that goes with it is not in local_state" "$work/site2.err" ||
  fail "site2 does not say what it has lost"
cd "$aggregator"
status_says "^Round [0-9]+ was closed without site2$"
[ "$(forgotten)" = 0 ] || fail "something is forgotten before anybody has left"

ok fx aggregator remove -n site2
rounds_pass 2
[ "$(forgotten)" = 1 ] || fail "$(forgotten) rounds have forgotten, instead of one"

ok fx aggregator add -n site2
start_site 2
cd "$aggregator"
status_says "^  site2: has delivered"
before=$(round)
rounds_pass 2
ok fx aggregator stop --wait
wait_for aggregator
grep -q "not in local_state" "$work/site2.err" && fail "site2 still misses its part"
[ "$(forgotten)" = 1 ] || fail "$(forgotten) rounds have forgotten, instead of one"
trained=$(journal "SELECT count(*) FROM record
                   WHERE type = 'ResultAccepted' AND round > $before AND
                         json_extract(payload, '\$.who') = 'site2' AND
                         json_extract(payload, '\$.update') <> ''")
[ "$trained" -ge 1 ] || fail "site2 has trained nothing"
