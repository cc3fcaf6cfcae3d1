#!/usr/bin/env bash
# A federation from the Kubernetes manifests of scripts/deploy, rendered by kubectl and run by
# podman: the aggregator and one site in pods, another site beside them.
source "$(dirname "$0")/common.inc"
here=$(cd "$(dirname "$0")" && pwd)

for tool in podman runc kubectl catatonit; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
[ "$(id -u)" -eq 0 ] || { echo "skipped: only root lays out secrets as a cluster does"; exit 77; }

printf '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n' \
  >"$work/containers.conf"
export CONTAINERS_CONF=$work/containers.conf
pod() {
  podman --root "$work/pod/root" --runroot "$work/pod/run" --tmpdir "$work/pod/tmp" \
    --storage-driver vfs --runtime runc --cgroup-manager cgroupfs "$@"
}
status_of() { return "$1"; }
finish() {
  local status=$?
  set +e
  pod pod rm -a -f -t 1 >"$work/rm.out" 2>&1
  status_of "$status"
  cleanup
}
trap finish EXIT

prepare_federation 1
public=$(sed -nE 's/^ *agg_port *: *([0-9]+).*/\1/p' plan/plan.yaml)
health=$(free_port) site_health=$(free_port)
strip -o "$work/fx" "$FX"
ok fx workspace dockerize --fx "$work/fx"
pod load -q -i WS_image.tar >"$work/load.out" 2>&1 || fail "podman does not load the image"
if ! pod run --rm --network host localhost/ws:latest --version >"$work/version.out" 2>&1; then
  echo "skipped: this user may not start containers"
  exit 77
fi

# The overlays as an administrator fills them in. All pods share this machine's ports.
cp -r "$here/../../scripts/deploy/kubernetes" "$work/kubernetes"
cd "$work/kubernetes/overlays"
cp "$aggregator"/cert/server/agg_localhost.{crt,key} "$aggregator/plan/cols.yaml" aggregator/
cp "$site1"/cert/client/col_site1.{crt,key} collaborator/
echo "site1,/data" >collaborator/data.yaml
echo "max_rate: 100 MB/s" >collaborator/site.yaml
sed -i -E "s|newName: .*|newName: localhost/ws|; s|newTag: .*|newTag: latest|
           s|agg_aggregator.example.org|agg_localhost|; s|hospital1|site1|" ./*/kustomization.yaml
sed -i "s|\[::\]:50051|[::]:$public|; s|0.0.0.0:9090|127.0.0.1:$health|" ../base/aggregator/job.yaml
sed -i "s|0.0.0.0:9090|127.0.0.1:$site_health|" ../base/collaborator/job.yaml

# The site's data, as a volume under the name of the claim.
pod volume create fx-data >/dev/null
cp "$work"/digits/* "$(pod volume inspect -f '{{.Mountpoint}}' fx-data)"

play() {
  mkdir "$work/$1.files"
  kubectl kustomize "$1" | /usr/bin/python3 "$here/for_podman.py" "$work/$1.files" >"$work/$1.yaml"
  echo "podman play kube $1.yaml"
  pod play kube --network host "$work/$1.yaml" >"$work/$1.out" 2>&1 || {
    cat "$work/$1.out"
    fail "podman does not play $1"
  }
}
play aggregator
play collaborator
start_site 2
wait_for site2

for role in aggregator collaborator; do
  code=$(pod wait "fx-$role-fx")
  pod logs "fx-$role-fx" >"$work/$role.out" 2>"$work/$role.err"
  [ "$code" -eq 0 ] || fail "the $role's container ended with $code"
done
models=$(pod volume inspect -f '{{.Mountpoint}}' fx-aggregator-state-save)
[ -s "$models/best.pbuf" ] || fail "no best model in the volume"
state=$(pod volume inspect -f '{{.Mountpoint}}' fx-collaborator-state-local_state)
[ "$(find "$state" -name closed | wc -l)" -eq 1 ] || fail "the site kept nothing in its volume"
