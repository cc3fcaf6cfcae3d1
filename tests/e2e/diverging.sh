#!/usr/bin/env bash
# Training that runs away: each site says which layer, the aggregator goes on without it, and the
# federation ends by itself with the model it began with.
source "$(dirname "$0")/common.inc"

prepare_federation 2 's|^( *type: )adam|\1sgd|; s|^( *learning_rate *:).*|\1 1000|'
run_federation
for k in 1 2; do
  grep -q "task train of round 0 failed" "$work/site$k.err" ||
    fail "site$k does not say what failed"
  grep -q "not finite" "$work/site$k.err" || fail "site$k does not say why"
  grep -q "collaborator site$k cannot do task train and is left out" "$work/aggregator.err" ||
    fail "the aggregator does not know about site$k"
  grep -qE "site$k: has delivered aggregated_model_validation|Round 0 was closed without" \
    <(fx status) || fail "fx status does not say that site$k was left out"
done
[ ! -e save/last.pbuf ] || fail "there is an aggregated model of nobody's updates"
echo "A federation without a single result ends by itself."
