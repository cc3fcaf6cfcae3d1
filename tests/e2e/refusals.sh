#!/usr/bin/env bash
# What a site's administrator is told when something is wrong: the words, and the exit code.
source "$(dirname "$0")/common.inc"

prepare_federation 1

echo "=== the plan"
cp plan/plan.yaml "$work/plan.yaml"
sed -i 's/rounds_to_train/rounds_to_trian/' plan/plan.yaml
refused 1 'plan/plan.yaml:' fx aggregator start
refused 1 'rounds_to_train' fx aggregator start
refused 1 'plan/plan.yaml:' fx workspace export
cp "$work/plan.yaml" plan/plan.yaml

echo "=== the command line"
refused 2 'did you mean "start"?' fx aggregator strat
refused 2 'did you mean "--authorized_cols"?' fx aggregator start --authorised_cols plan/cols.yaml
refused 1 'did you mean "cnn_mnist"?' fx workspace create --prefix other --template cnn_mnits

echo "=== the initial model"
mv save/init.pbuf "$work/"
refused 1 'fx plan initialize' fx aggregator start
mv "$work/init.pbuf" save/

echo "=== keys and certificates"
chmod 644 cert/server/agg_localhost.key
refused 4 'cert/server/agg_localhost.key' fx aggregator start
refused 4 'chmod 600' fx aggregator start
chmod 600 cert/server/agg_localhost.key
cd "$site1"
chmod 640 cert/client/col_site1.key
refused 4 'cert/client/col_site1.key' fx collaborator start -n site1
chmod 600 cert/client/col_site1.key
mv cert/client/col_site1.crt "$work/"
refused 1 'cert/client/col_site1.crt' fx collaborator start -n site1
cp "$site2/cert/client/col_site2.crt" cert/client/col_site1.crt
refused 4 'col_site1.key' fx collaborator start -n site1
mv "$work/col_site1.crt" cert/client/

echo "=== the data"
cp plan/data.yaml "$work/data.yaml"
ok fx collaborator create -n site1 -d /nowhere --silent
refused 1 '/nowhere' fx collaborator start -n site1
mkdir "$work/torn"
cp "$work/digits"/* "$work/torn/"
gunzip "$work/torn/train-images-idx3-ubyte.gz"
truncate --size=-100 "$work/torn/train-images-idx3-ubyte"
ok fx collaborator create -n site1 -d "$work/torn" --silent
refused 1 'train-images-idx3-ubyte' fx collaborator start -n site1
ok fx collaborator create -n site1 -d 3 --silent
refused 1 'shard' fx collaborator start -n site1
cp "$work/data.yaml" plan/data.yaml
refused 1 'plan/data.yaml has no line' fx collaborator start -n site3

echo "=== the port is taken"
cd "$aggregator"
port=$(sed -n 's/^ *agg_port *: *\([0-9]*\).*/\1/p' plan/plan.yaml)
mkfifo "$work/ready"
/usr/bin/python3 - "$port" "$work/ready" <<'PYTHON' &
import signal, socket, sys
s = socket.socket(socket.AF_INET6)
s.bind(("", int(sys.argv[1])))
s.listen()
open(sys.argv[2], "w").write("listening\n")
signal.pause()
PYTHON
children+=($!)
read -r _ <"$work/ready"
refused 5 "port $port is taken" fx aggregator start
kill "${children[-1]}"
wait "${children[-1]}" 2>/dev/null || true

echo "=== nobody answers: the site waits, and says so"
start_site 1
grep -m 1 'not reachable yet' < <(tail --pid="${process[site1]}" -n +1 -f "$work/site1.err") ||
  fail "the site did not say that it waits"
kill -TERM "${process[site1]}"
status=0
wait "${process[site1]}" || status=$?
[ "$status" -eq 3 ] || fail "a stopped site ended with $status"

echo "=== a site with another plan"
cd "$site2"
sed -i 's/rounds_to_train: .*/rounds_to_train: 7/' plan/plan.yaml
start_aggregator
cd "$site2"
refused 1 "your plan differs from the aggregator's" fx collaborator start -n site2
