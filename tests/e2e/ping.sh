#!/usr/bin/env bash
# fx collaborator ping against a running aggregator: what a site is told at each step.
source "$(dirname "$0")/common.inc"

prepare_federation 1

# A certificate without a place on the list; made before there is an aggregator that would follow
# the list as it is changed and put back.
cp plan/cols.yaml "$work/cols.yaml"
ok fx collaborator generate-cert-request -n stranger
ok fx collaborator certify -n stranger --silent
cp "$work/cols.yaml" plan/cols.yaml

start_aggregator
cd "$site1"
for _ in {1..600}; do
  fx collaborator ping -n site1 >"$work/ping.out" 2>"$work/ping.err" && break
  read -rt 0.1 <> <(:) || true
done

echo "=== a site that may take part"
ok fx collaborator ping -n site1
for step in plan certificate 'name resolution' TCP TLS authorization 'plan digest'; do
  grep -qE "^ok +$step " "$work/ok.out" || fail "no step $step"
done
fx collaborator ping -n site1 --json >"$work/ping.json"
/usr/bin/python3 - "$work/ping.json" <<'PYTHON'
import json, sys
steps = json.load(open(sys.argv[1]))
assert [s["finding"] for s in steps] == ["ok"] * 7, steps
PYTHON

echo "=== nothing has happened at the aggregator for it"
cd "$aggregator"
status_says 'site1: owes'

echo "=== another plan"
cd "$site1"
cp plan/plan.yaml "$work/plan.yaml"
ok fx plan set aggregator.settings.rounds_to_train 7
refused 1 "your plan differs from the aggregator's" fx collaborator ping -n site1
grep -qE '^ok +authorization ' "$work/refused.out" || fail "the site may take part"
grep -qE '^failed +plan digest ' "$work/refused.out" || fail "not found at the plan digest"
cp "$work/plan.yaml" plan/plan.yaml

echo "=== a name the aggregator's certificate is not for"
ok fx plan set network.settings.agg_addr 127.0.0.1
refused 4 'certificate is for localhost' fx collaborator ping -n site1
grep -qE '^failed +TLS ' "$work/refused.out" || fail "not found at TLS"
cp "$work/plan.yaml" plan/plan.yaml

echo "=== a site that nobody has put on the list"
cd "$aggregator"
refused 4 '"stranger" is not in plan/cols.yaml' fx collaborator ping -n stranger
grep -qE '^failed +authorization ' "$work/refused.out" || fail "not found at the authorization"
