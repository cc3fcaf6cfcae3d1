#!/usr/bin/env bash
# fx workspace dockerize before the judges: skopeo checks every digest, umoci unpacks, and a
# collaborator takes part from inside a real container, read-only and without capabilities.
source "$(dirname "$0")/common.inc"
here=$(cd "$(dirname "$0")" && pwd)

for tool in skopeo umoci podman runc; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done

# As it is installed: without symbols, which would be most of the image.
sanitized=$(ldd "$FX" | grep -E "asan|tsan" || true)
strip -o "$work/fx" "$FX"
export FX=$work/fx

prepare_federation 2
ok fx workspace dockerize --sbom
image=$PWD/WS_image.tar
grep -E "^(Compressed|For) " "$work/ok.out"

# The same workspace, the same bytes.
ok fx workspace dockerize --sbom -o again.tar
cmp "$image" again.tar || fail "a second image of the workspace has other bytes"
rm again.tar

copy() { skopeo copy -q --insecure-policy --tmpdir "$work" "$1" "dir:$2" >"$work/skopeo.out" 2>&1; }
copy "oci-archive:$image" "$work/copied" || fail "skopeo refuses the OCI image"
copy "docker-archive:$image" "$work/copied-docker" || fail "skopeo refuses it as docker's archive"
mkdir "$work/layout" && tar -xf "$image" -C "$work/layout"
largest=$(find "$work/layout/blobs" -type f -printf '%s %p\n' | sort -n | tail -n 1)
largest=${largest#* }
umoci unpack --rootless --image "$work/layout:localhost/ws:latest" "$work/bundle" \
  >"$work/umoci.out" 2>&1 || fail "umoci refuses the image"
root=$work/bundle/rootfs
cmp "$root/usr/bin/fx" "$FX" || fail "another fx is in the image"
cmp "$root/workspace/plan/plan.yaml" plan/plan.yaml || fail "another plan is in the image"
cmp "$root/usr/share/fx/sbom.spdx.json" WS_image.spdx.json || fail "the lists of contents differ"
! grep -rl -e "PRIVATE KEY-----" "$root" --exclude=fx || fail "a key is in the image"
! find "$root" -name '*.key' -o -name '*.csr' -o -name '*.pbuf' | grep . || fail "what must stay"
[ ! -e "$root/workspace/plan/data.yaml" ] || fail "the image says where somebody's data lie"

# The list is SPDX, by a judge that can say no.
spdx() { /usr/bin/python3 "$here/spdx.py" >"$work/spdx.out"; }
not_spdx() {
  ! sed -E "$2" WS_image.spdx.json | spdx || fail "nobody saw: $2"
  grep -qF -- "$1" "$work/spdx.out" || fail "no complaint of: $1: $(cat "$work/spdx.out")"
}
spdx <WS_image.spdx.json || fail "the list is no SPDX: $(cat "$work/spdx.out")"
not_spdx 'there is no field downloadLokation' 's/downloadLocation/downloadLokation/'
not_spdx 'has not the form' 's/"created": "/&on /'
not_spdx 'has another code than that of its files' 's/(CodeValue": ")./\1f/'
not_spdx 'is not in one package' 's/"CONTAINS"/"DEPENDS_ON"/'
not_spdx 'is in a relationship, and nowhere else' 's/"(SPDXID": "SPDXRef-File)/"\1-x/'

# Every library is in the list with its true checksum, and the loader finds each of them there.
/usr/bin/python3 - "$root" WS_image.spdx.json <<'PYTHON'
import hashlib, json, os, sys
root, sbom = sys.argv[1], json.load(open(sys.argv[2]))
listed = {file["fileName"][1:]: file["checksums"] for file in sbom["files"]}
there = {os.path.join(folder, name)[len(root):] for folder, _, names in os.walk(root)
         for name in names if ".so" in name or name == "fx"}
assert there == set(listed), there ^ set(listed)
for name, checksums in listed.items():
    bytes = open(root + name, "rb").read()
    for sum in checksums:
        found = hashlib.new(sum["algorithm"].lower(), bytes).hexdigest()
        assert found == sum["checksumValue"], name
known = [p for p in sbom["packages"] if p["versionInfo"] != "NOASSERTION"]
assert len(known) > 10, "dpkg's versions are missing"
PYTHON

# The judge can say no: a few bytes of a layer.
printf 'damaged!' | dd of="$largest" bs=1 seek=1000 conv=notrunc status=none
! copy "oci:$work/layout:localhost/ws:latest" "$work/bad" || fail "skopeo checks no digests"
refused 1 "is damaged: the blob" fx workspace dockerize -b "$work/layout" -o over.tar
[ -z "$(find . -maxdepth 1 -name '*over.tar*')" ] || fail "half an image was left behind"
rm -r "$work/layout" "$work/copied" "$work/copied-docker" "$work/bundle"

# In a container.
pod() {
  podman --root "$work/pod/root" --runroot "$work/pod/run" --tmpdir "$work/pod/tmp" \
    --storage-driver vfs --runtime runc --cgroup-manager cgroupfs "$@"
}
pod load -q -i "$image" >"$work/load.out" 2>&1 || fail "podman does not load the image"
limits=(--network host --ulimit nofile=4096:4096 --ulimit nproc=4096:4096 --read-only
        --cap-drop all --security-opt no-new-privileges)
if ! pod run --rm "${limits[@]}" localhost/ws:latest --version >"$work/version.out" 2>&1; then
  [ "$(id -u)" -ne 0 ] || fail "the container does not start"
  echo "skipped: this user may not start containers"
  exit 77
fi
grep -qF "$(fx --version)" "$work/version.out" || fail "another version is in the container"

if [ -z "$sanitized" ]; then
  [ "$(stat -c %s "$image")" -le 30000000 ] || fail "$(stat -c %s "$image") bytes are too many"
fi

# On another image's system.
ok fx workspace dockerize -b "$image" -o over.tar -t over
pod load -q -i over.tar >"$work/load.out" 2>&1 || fail "podman does not load the image over a base"
pod run --rm "${limits[@]}" localhost/over:latest --version >"$work/version.out" 2>&1 ||
  fail "fx does not start over a base"
rm over.tar

# The site's own: certificates, the line that says where its data is, the data, what it remembers.
site=$work/site2/WS state=$work/site2/state logs=$work/site2/logs
mkdir "$state" "$logs"
cp -r "$site/cert" "$work/site2/mounted"
if [ "$(id -u)" -eq 0 ]; then chown -R 65532:65532 "$work/site2/mounted" "$state" "$logs"; fi
site2=(--name site2 -v "$work/site2/mounted:/workspace/cert:ro" -v "$state:/workspace/local_state"
       -v "$site/plan/data.yaml:/workspace/plan/data.yaml:ro" -v "$work/digits:$work/digits:ro"
       -v "$logs:/workspace/logs")

start_aggregator
start_site 1
cd "$work"
! pod run --rm "${limits[@]}" -v "$work/site2/mounted:/workspace/cert:ro" localhost/ws:latest \
  collaborator start -n site2 >"$work/unmounted.out" 2>"$work/unmounted.err" ||
  fail "a site starts without a word about its data"
grep -qF "in a container, mount the file that has this line at /workspace/plan/data.yaml" \
  "$work/unmounted.err" || fail "it does not say what to mount: $(cat "$work/unmounted.err")"
echo "container\$ fx collaborator start -n site2 &"
pod run "${limits[@]}" "${site2[@]}" localhost/ws:latest collaborator start -n site2 \
  >"$work/site2.out" 2>"$work/site2.err" </dev/null &
process[site2]=$!
children+=($!)
for name in site2 site1 aggregator; do wait_for "$name"; done
[ "$(tail -n 1 "$work/site2.out" | tr -d '\r')" = " ✔️ OK" ] || fail "site2 did not end with ✔️ OK"
[ "$(find "$state" -name closed | wc -l)" -eq 1 ] || fail "site2 kept nothing outside"
cd "$aggregator"
[ -s save/best.pbuf ] || fail "no best model"

# What the health check runs.
pod run --rm "${limits[@]}" "${site2[@]/#site2/health}" localhost/ws:latest status \
  >"$work/health.out" 2>&1 || fail "the health check fails in a read-only container"
pod rm -a -f >/dev/null 2>&1 || true
