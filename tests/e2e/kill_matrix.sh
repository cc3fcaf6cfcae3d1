#!/usr/bin/env bash
# kill -9, a full disk and torn writes at every failpoint of the aggregator and of a site; see
# kill_matrix.py.
#
#   kill_matrix.sh aggregator|site|controls|disk|pairs|power [SEED]
#
# controls: a site, as it keeps a control variate.
driver=$(realpath "$(dirname "$0")")/kill_matrix.py
source "$(dirname "$0")/common.inc"

# One dense layer, and optimizers with states that are kept, at the sites and at the aggregator: a
# round takes no time.
tiny='/conv2d|max_pool|relu|dropout|units: 128/d
      s|^    function: train$|&\n    aggregation_type: {template: FedAdam}|
      s|opt_treatment: RESET|opt_treatment: CONTINUE_LOCAL|'
if [ "$1" = controls ]; then
  tiny='/conv2d|max_pool|relu|dropout|units: 128/d
        s|^    function: train$|&\n    aggregation_type: {template: SCAFFOLD}|
        s|type: adam$|type: sgd|'
  set -- site "${@:2}"
fi
[ "$1" != power ] || tiny+='
      s|^( *)rounds_to_train.*|&\n\1durability: round|'
prepare_federation 2 "$tiny"
mkdir "$work/matrix"
mv "$aggregator" "$work/matrix/aggregator"
mv "$site1" "$work/matrix/site1"
mv "$site2" "$work/matrix/site2"
cd "$work"
/usr/bin/python3 "$driver" "$FX" "$work/matrix" "$@"
