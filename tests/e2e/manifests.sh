#!/usr/bin/env bash
# The Compose file and the Kubernetes manifests of scripts/deploy: rendered, with every field, name
# and option checked; docker-compose is a second judge where it is installed.
source "$(dirname "$0")/common.inc"
here=$(cd "$(dirname "$0")" && pwd)
deploy=$here/../../scripts/deploy

judge() { FX=$FX /usr/bin/python3 "$here/manifests.py" "$@"; }
# wrong 'complaint' SED: the judge must see what this makes of the good manifests.
wrong() {
  ! sed -E "$2" "$work/good.yaml" | judge "$kind" >"$work/wrong.out" || fail "nobody saw: $2"
  grep -qF -- "$1" "$work/wrong.out" || { cat "$work/wrong.out"; fail "no complaint of: $1"; }
}

echo "=== compose"
kind=compose
cp "$deploy/compose.yaml" "$work/good.yaml"
judge compose <"$work/good.yaml"
wrong 'knows no --listn' 's/--listen/--listn/'
wrong 'read_only is missing' 's/^  read_only/  read_onli/'
wrong 'would never change' 's|\./plan:/workspace/plan|./plan/cols.yaml:/workspace/plan/cols.yaml|'
if command -v docker-compose >/dev/null; then
  for role in aggregator collaborator; do
    docker-compose -f "$work/good.yaml" --profile "$role" config >"$work/compose.out" 2>&1 ||
      { cat "$work/compose.out"; fail "docker-compose refuses the $role"; }
  done
fi

command -v kubectl >/dev/null || { echo "skipped: kubectl is not installed"; exit 77; }
cp -r "$deploy/kubernetes" "$work/kubernetes"
cd "$work/kubernetes/overlays"
for file in aggregator/agg_aggregator.example.org collaborator/col_hospital1; do
  echo certificate >"$file.crt"
  echo key >"$file.key"
done
echo "collaborators: [hospital1]" >aggregator/cols.yaml
kind=kubernetes
for role in aggregator collaborator; do
  echo "=== kubernetes, $role"
  kubectl kustomize "$role" >"$work/good.yaml"
  judge kubernetes <"$work/good.yaml"
  wrong 'the API knows no livenesProbe' 's/livenessProbe/livenesProbe/'
  wrong 'has no livenessProbe' '/livenessProbe/,/timeoutSeconds/d'
  wrong 'may write its own files' 's/readOnlyRootFilesystem: true/readOnlyRootFilesystem: false/'
  wrong 'is root, or has a token' 's/(automountServiceAccountToken:) false/\1 true/'
  wrong 'knows no --helth' 's/--health/--helth/'
  wrong 'which is none of its own' 's/port: 9090/port: 9091/'
  case $role in
    aggregator) wrong 'exactly [2]' 's/^( *)- 2$/&\n\1- 4/' ;;
    collaborator) wrong 'exactly [2, 4]' '/^ *- 4$/d' ;;
  esac
  wrong 'does not end for good' 's/action: FailJob/action: Count/'
  wrong 'takes a node that is drained' 's/type: DisruptionTarget/type: Ready/'
  wrong 'takes a node that is drained' 's/action: Ignore/action: Count/'
  wrong 'through a long outage' 's/(backoffLimit:) 500/\1 6/'
  wrong 'needs restartPolicy: Never' 's/(restartPolicy:) Never/\1 OnFailure/'
  wrong 'the API knows no podFailurPolicy' 's/podFailurePolicy/podFailurPolicy/'
  wrong 'lets everybody in' '/^  - from:$/,/monitoring$/d; s/^    ports:$/  - ports:/'
  wrong 'has no network policy' '/podSelector:/,/component:/s/(component:).*/\1 other/'
  wrong 'there is no secret' 's/secretName: fx-(agg|coll).*/secretName: other/'
  wrong 'which is no volume' 's/^( *- name: stat)e$/\1/'
  [ "$role" = aggregator ] || continue
  wrong 'there is no col.yaml in settings' 's|members/cols.yaml|members/col.yaml|'
  wrong 'would never change' 's|^( *)- mountPath: /workspace/members$|&\n\1  subPath: cols.yaml|'
  # With another list nothing but its own line changes: no cluster takes another Job.
  echo "collaborators: [hospital1, hospital2]" >aggregator/cols.yaml
  kubectl kustomize aggregator | diff "$work/good.yaml" - >"$work/diff.out" &&
    fail "the list is nowhere"
  [ "$(grep -c '^[<>]' "$work/diff.out")" -eq 2 ] || { cat "$work/diff.out"; fail "more changes"; }
done
