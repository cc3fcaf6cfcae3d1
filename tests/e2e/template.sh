#!/usr/bin/env bash
# A template, from an empty folder to the score its README states: template.sh NAME.
source "$(dirname "$0")/common.inc"

name=$1
# What sites have: a shard each, or data of their own.
data=(1 2)
change=''
absent=0 # sites that never come
case $name in
  mlp_tabular) metric=aggregated_model_validation/accuracy least=0.95 ;;
  logistic_regression) metric=aggregated_model_validation/accuracy least=0.94 ;;
  char_lstm)
    metric=aggregated_model_validation/accuracy least=0.40
    data=(/usr/share/common-licenses/GPL-3 /usr/share/common-licenses/Apache-2.0)
    ;;
  fed_eval)
    metric=aggregated_model_validation/accuracy least=0.02
    small_data_set "$work/digits" 400 100
    change="s|^( *dataset *:).*|\1 $work/digits|"
    ;;
  straggler)
    metric=aggregated_model_validation/accuracy least=0.80
    small_data_set "$work/digits" 600 150
    data=(1 2 3) absent=1
    change="s|^( *dataset *:).*|\1 $work/digits|
            s|^( *straggler_cutoff_time *:).*|\1 3|"
    ;;
  cnn_histology)
    metric=aggregated_model_validation/accuracy least=0.93
    data=(data/patches data/patches)
    ;;
  unet2d) metric=aggregated_model_validation/dice least=0.55 ;;
  *) fail "no such template: $name" ;;
esac

# lay_data NUMBER: what the README says that a site does about its data.
lay_data() {
  case $name in
    cnn_histology)
      LC_ALL=C awk -v site="$1" -v folder=data/patches -f src/patches.awk
      ;;
    unet2d)
      mkdir -p data/volumes/labels
      cp /usr/share/mricron/templates/ch2.nii.gz data/volumes/
      cp /usr/share/mricron/templates/ch2bet.nii.gz data/volumes/labels/ch2.nii.gz
      ;;
  esac
}

mkdir aggregator && cd aggregator
ok fx workspace create --prefix WS --template "$name"
[ -s WS/README.md ] || fail "no README"
cd WS
sed -i -E "s|^( *client_reconnect_interval *:).*|\1 1|
           s|^( *agg_port *:).*|\1 $(free_port)|
           $change" plan/plan.yaml
aggregator=$PWD
ok fx plan initialize -a localhost
ok fx workspace certify
ok fx aggregator generate-cert-request --fqdn localhost
ok fx aggregator certify --fqdn localhost --silent
ok fx workspace export
for k in "${!data[@]}"; do
  site=site$((k + 1))
  mkdir "$work/$site" && cd "$work/$site"
  ok fx workspace import --archive "$aggregator/WS.zip"
  cd WS
  lay_data $((k + 1))
  ok fx collaborator create -n "$site" -d "${data[$k]}" --silent
  ok fx collaborator generate-cert-request -n "$site" --silent
  cd "$aggregator"
  request=$work/$site/WS/col_${site}_to_agg_cert_request.zip
  ok fx collaborator certify --request-pkg "$request" --silent
  cd "$work/$site/WS"
  ok fx collaborator certify --import "$aggregator/agg_to_col_${site}_signed_cert.zip"
done

# The rest of the sites come late, or never: the last of them is not started.
start_aggregator
for k in $(seq 1 $((${#data[@]} - absent))); do start_site "$k"; done
for k in $(seq 1 $((${#data[@]} - absent))); do wait_for "site$k"; done
[ "$absent" -gt 0 ] || wait_for aggregator

cd "$aggregator"
/usr/bin/python3 - "$metric" "$least" <<'PYTHON'
import json, sys
name, least = "aggregator/" + sys.argv[1], float(sys.argv[2])
lines = [json.loads(line) for line in open("logs/aggregator_metrics.txt")]
scores = [line[name] for line in lines if name in line]
print(name, *(f"{score:.4f}" for score in scores))
assert max(scores) >= least, f"{max(scores)} is less than {least}"
PYTHON
if [ "$name" = straggler ]; then
  grep -q "closed without the collaborators: \['site3'\]" "$work/aggregator.err" ||
    fail "the aggregator does not say who was late"
fi
if [ "$name" = fed_eval ]; then
  ! find local_state -name '*.fxm' -path '*spool*' | grep . || fail "weights came to the aggregator"
fi
echo "The template $name reaches its score."
