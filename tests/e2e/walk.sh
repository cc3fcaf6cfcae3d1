#!/usr/bin/env bash
# OpenFL's walk, word for word, from empty folders to a model that numpy reads.
source "$(dirname "$0")/common.inc"

small_data_set "$work/digits" 400 100

mkdir aggregator site1 site2
cd aggregator
ok fx workspace create --prefix WS --template cnn_mnist
cd WS
for folder in cert data logs save src plan; do [ -d "$folder" ] || fail "no $folder/"; done
make_small "$work/digits" 2
ok fx plan initialize -a localhost
[ -s save/init.pbuf ] || fail "no initial model"
ok fx workspace certify
[ -s cert/cert_chain.crt ] || fail "no certificate chain"
ok fx workspace export
unzip_list WS.zip >"$work/names"
grep -qx plan/plan.yaml "$work/names" || fail "no plan in the archive"
! grep -E '\.(crt|key|csr|srl|pem|pbuf)$' "$work/names" || fail "secrets in the archive"
! grep -x plan/data.yaml "$work/names" || fail "the archive says where data lie"
ok fx aggregator generate-cert-request --fqdn localhost
[ -s cert/server/agg_localhost.csr ] || fail "no request of the aggregator"
[ "$(stat -c %a cert/server/agg_localhost.key)" = 600 ] || fail "the key is open to others"
ok fx aggregator certify --fqdn localhost --silent
[ -s cert/server/agg_localhost.crt ] || fail "no certificate of the aggregator"

# Site 1 has shard 1 of the data set, site 2 shard 2.
for k in 1 2; do
  cd "$work/site$k"
  ok fx workspace import --archive "$work/aggregator/WS/WS.zip"
  cd WS
  cmp plan/plan.yaml "$work/aggregator/WS/plan/plan.yaml" || fail "the plan changed on its way"
  ok fx collaborator create -n "site$k" -d "$k" --silent
  grep -qx "site$k,$k" plan/data.yaml || fail "no entry in plan/data.yaml"
  ok fx collaborator generate-cert-request -n "site$k" --silent
  [ "$(stat -c %a "cert/client/col_site$k.key")" = 600 ] || fail "the site's key is open to others"
  cp "col_site${k}_to_agg_cert_request.zip" "$work/aggregator/WS/"
  cd "$work/aggregator/WS"
  ok fx collaborator certify --request-pkg "col_site${k}_to_agg_cert_request.zip" --silent
  grep -q "site$k" plan/cols.yaml || fail "site$k is not in plan/cols.yaml"
  cd "$work/site$k/WS"
  cp "$work/aggregator/WS/agg_to_col_site${k}_signed_cert.zip" .
  ok fx collaborator certify --import "agg_to_col_site${k}_signed_cert.zip"
  [ -s "cert/client/col_site$k.crt" ] || fail "no certificate of site$k"
done

# A site that waits for the aggregator holds neither data nor network: resident below 25 MB.
cd "$work/site1/WS" && in_background site1 fx collaborator start -n site1
for _ in {1..600}; do
  grep -q "is not reachable yet" "$work/site1.err" && break
  read -rt 0.1 <> <(:) || true
done
resident=$(awk '/^VmRSS:/ {print $2}' "/proc/${process[site1]}/status")
echo "site1 waits with $resident KiB"
if ! ldd "$FX" | grep -qE "asan|tsan"; then
  [ "$resident" -lt 24414 ] || fail "a waiting site has more than 25 MB: $resident KiB"
fi

cd "$work/aggregator/WS" && in_background aggregator fx aggregator start
cd "$work/site2/WS" && in_background site2 fx collaborator start -n site2
for name in site1 site2 aggregator; do
  wait_for "$name"
  [ "$(tail -n 1 "$work/$name.out")" = " ✔️ OK" ] || fail "$name did not end with ✔️ OK"
done

cd "$work/aggregator/WS"
[ -s save/best.pbuf ] && [ -s save/last.pbuf ] || fail "no best or last model"
ok fx model save -i save/last.pbuf -o last.npz
/usr/bin/python3 - last.npz <<'PYTHON'
import sys, numpy as np
model = np.load(sys.argv[1])
assert len(model.files) > 0 and all(np.isfinite(model[n]).all() for n in model.files)
assert all(model[n].dtype == np.float32 for n in model.files)
PYTHON
