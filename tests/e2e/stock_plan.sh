#!/usr/bin/env bash
# A plan as OpenFL's users have it, whose network is a Python class: the aggregator runs it, a site
# is refused with the native alternative named.
source "$(dirname "$0")/common.inc"

prepare_federation 1
cp save/init.pbuf "$work/"
for workspace in "$aggregator" "$site1"; do
  cd "$workspace"
  sed -i -E 's/template: NativeTaskRunner/template: src.taskrunner.KerasCNN/
             s/template: Aggregator/template: openfl.component.Aggregator/
             s/template: RandomGroupedAssigner/template: openfl.component.RandomGroupedAssigner/
             s/delta_updates: .*/delta_updates: true/
             s/metrics: .*/metrics: [acc_of_mine]/' plan/plan.yaml
done

cd "$aggregator"
rm save/init.pbuf
refused 1 "the network is Python's (task_runner.template is src.taskrunner.KerasCNN)" \
  fx plan initialize
cp "$work/init.pbuf" save/
ok fx plan initialize
cmp save/init.pbuf "$work/init.pbuf" || fail "the model OpenFL made was replaced"
ok fx plan freeze
ok fx doctor

start_aggregator
grep -m 1 'Starting Aggregator gRPC Server' < <(
  tail --pid="${process[aggregator]}" -n +1 -f "$work/aggregator.err"
) || fail "it did not start"
cd "$site1"
refused 1 'task_runner.template is src.taskrunner.KerasCNN' fx collaborator start -n site1
grep -q 'NativeTaskRunner' "$work/refused.err" || fail "no native alternative"
refused 1 'task_runner.template is src.taskrunner.KerasCNN' fx doctor -n site1
for _ in {1..600}; do
  fx collaborator ping -n site1 >/dev/null 2>&1 && break
  read -rt 0.1 <> <(:) || true
done
ok fx collaborator ping -n site1
