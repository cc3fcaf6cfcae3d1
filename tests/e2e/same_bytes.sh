#!/usr/bin/env bash
# The same plan and data give the same models, whoever starts first, also where images are varied at
# random and the sites share their optimizer; the same workspace gives the same archive.
source "$(dirname "$0")/common.inc"

augment='    augment: {flip: both, crop_padding: 3, rotate: 30}'
prepare_federation 2 "/^ *template: IdxDataLoader/{n;s|\$|\n$augment|}
                      s|opt_treatment: RESET|opt_treatment: CONTINUE_GLOBAL|"
grep -qxF "$augment" plan/plan.yaml || fail "the plan says nothing of augment"
ok fx workspace export
before=$(sha256 WS.zip)
ok fx workspace export
[ "$(sha256 WS.zip)" = "$before" ] || fail "a second export has other bytes"

run_federation
last=$(sha256 save/last.pbuf) best=$(sha256 save/best.pbuf)
for model in init last best; do
  grep -q __opt_state_ "save/$model.pbuf" || fail "the $model model has no optimizer"
done

# Once more from the beginning, the sites first and the other way round.
rm -r local_state save/last.pbuf save/best.pbuf "$site1/local_state" "$site2/local_state"
start_site 2
start_site 1
start_aggregator
for name in site1 site2 aggregator; do wait_for "$name"; done
cd "$aggregator"
[ "$(sha256 save/last.pbuf)" = "$last" ] || fail "the last model has other bytes"
[ "$(sha256 save/best.pbuf)" = "$best" ] || fail "the best model has other bytes"

# Without varying images the models are others: it was not for nothing.
for workspace in "$aggregator" "$site1" "$site2"; do
  rm -r "$workspace/local_state"
  sed -i "/^    augment:/d" "$workspace/plan/plan.yaml"
done
run_federation
[ "$(sha256 save/last.pbuf)" != "$last" ] || fail "augment in the plan changes nothing"
