#!/usr/bin/env bash
# What an administrator can ask of a running aggregator: a site dies, and the round that waits for
# it is closed by hand; it leaves for good, and comes back; the aggregator stops after a round and
# goes on, also under something that starts it again at once.
source "$(dirname "$0")/common.inc"

prepare_federation 100000
log="$work/aggregator.err"

refused 5 "no aggregator is running this federation here" fx aggregator cut-off
refused 5 "no aggregator is running federation" fx aggregator status
start_aggregator
start_site 1
start_site 2
cd "$aggregator"
status_says "^Round [1-9][0-9]* of"
status_says "^site2: present, last call at 20"

# Site 2 dies. It is noticed, and the round waits for it, as the plan says, until somebody does.
kill -KILL "${process[site2]}"
status_says "^site2: gone since 20"
status_says "^  site1: has delivered [a-z_, ]*$"
fx aggregator status >"$work/live.txt" 2>/dev/null || fail "fx aggregator status failed"
grep -q "^site1: present" "$work/live.txt" || fail "fx aggregator status does not know site1"
fx aggregator status --json >"$work/live.json" || fail "fx aggregator status --json failed"
/usr/bin/python3 - "$work/live.json" <<'PYTHON' || fail "who is there is not in the JSON"
import json, sys
presence = json.load(open(sys.argv[1]))["aggregator"]["presence"]
who = {one["name"]: one["present"] for one in presence}
sys.exit(who != {"site1": True, "site2": False})
PYTHON
before=$(round)
ok fx aggregator cut-off
status_says "^Round $before was closed without site2$"
grep -q "Round: $before, closed without the collaborators: \['site2'\]" "$log" || fail "not logged"

# It leaves for good, and no round waits for it any more.
ok fx aggregator remove -n site2
grep -q site2 plan/cols.yaml && fail "site2 is still in plan/cols.yaml"
rounds_pass 2
refused 1 "site1 is the only collaborator" fx aggregator remove -n site1
refused 1 "site2 is not in plan/cols.yaml, which lists site1" fx aggregator remove -n site2
cd "$work/site2/WS"
refused 4 "not in plan/cols.yaml of the aggregator" fx collaborator start -n site2
cd "$aggregator"

# A suspended aggregator keeps nobody waiting who asks, and goes on as if those who gave up
# meanwhile had not asked.
kill -STOP "${process[aggregator]}"
refused 5 "did not answer on its admin socket within 5 s" fx aggregator status
fx status >"$work/status.txt" || fail "fx status failed"
grep -q "^Aggregator: running, but it does not answer" "$work/status.txt" || fail "not said"
timeout --foreground --signal=KILL 2 "$FX" aggregator stop 2>"$work/given_up.err" &&
  fail "it did not wait"  # in the foreground, timeout sees it dead before it goes on
kill -CONT "${process[aggregator]}"
rounds_pass 2
grep -q "whoever asked has given up" "$log" || fail "it does not say that it dropped a question"

# The aggregator ends after a round, and well, so that no service manager starts it again; the site
# waits for it to come back.
ok fx aggregator stop --wait
wait_for aggregator
tail -n 1 "$log" | grep -q "ended after the round, as fx aggregator stop asked" ||
  fail "the log does not end with why: $(tail -n 1 "$log")"
status_says "^Aggregator: not running"
kill -0 "${process[site1]}" || fail "site1 is gone"

# Without an aggregator, the list changes all the same.
ok fx aggregator add -n site2
start_aggregator
start_site 2
cd "$aggregator"
status_says "^site2: present"
status_says "^  site2: has delivered"
kill -0 "${process[site1]}" || fail "site1 is gone"

# A signal is another matter.
kill -TERM "${process[aggregator]}"
code=0
wait "${process[aggregator]}" || code=$?
[ "$code" -eq 3 ] || fail "the aggregator ended with $code instead of 3"
grep -q "stopped by a signal before the federation was over" "$log" || fail "not said: a signal"

# Something that starts it again at once, whatever it ended with: who waits for the end of this
# process is not kept waiting by the next.
supervise() {
  cd "$aggregator"
  while true; do
    bash -c 'echo $$ >"$1"; exec setpriv --pdeathsig KILL "$2" aggregator start' - \
      "$work/pid" "$FX" >>"$work/again.out" 2>>"$work/again.err" && code=0 || code=$?
    echo "$code" >>"$work/ends"
  done
}
supervise </dev/null &
children+=($!)
status_says "^site1: present"
status_says "^site2: present"
ok timeout 60 "$FX" aggregator stop --wait
wait_until 10 0 "$work/ends"
[ "$(head -n 1 "$work/ends")" -eq 0 ] || fail "it ended with $(cat "$work/ends")"

# One that is killed meanwhile has not ended as it was asked to.
status_says "^Aggregator: running"
status_says "^site1: present"
kill -KILL "${process[site1]}" "${process[site2]}"
status_says "^site1: gone"
in_background waiter fx aggregator stop --wait
wait_until 60 "ends once the round under way" "$work/waiter.err"
kill -KILL "$(cat "$work/pid")"
code=0
wait "${process[waiter]}" || code=$?
[ "$code" -eq 1 ] || fail "who waited for it ended with $code instead of 1"
grep -q "the aggregator failed or died before the round was aggregated" "$work/waiter.err" ||
  fail "not said"
