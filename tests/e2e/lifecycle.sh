#!/usr/bin/env bash
# What an administrator does while the federation runs: a site is added, the aggregator's
# certificate renewed, a site revoked. No process is started again.
source "$(dirname "$0")/common.inc"

prepare_federation 100000
log="$work/aggregator.err"

shown_serial() {
  # It shows no certificate of its own, and so is turned away once it has seen the server's.
  (openssl s_client -connect "localhost:$port" -alpn h2 </dev/null 2>/dev/null || true) |
    openssl x509 -noout -serial
}

port=$(sed -nE 's/^ *agg_port *: *([0-9]+).*/\1/p' plan/plan.yaml)
start_aggregator
start_site 1
start_site 2
wait_until 60 "Round: 0, Collaborators that have completed all tasks" "$log"
[ "$(ps -o comm= -p "${process[site1]}")" = fx ] ||
  fail "ps shows a collaborator under another name"

# A third site comes.
mkdir "$work/site3" && cd "$work/site3"
ok fx workspace import --archive "$aggregator/WS.zip"
cd WS && ok fx collaborator create -n site3 -d 1 --silent
ok fx collaborator generate-cert-request -n site3 --silent
cd "$aggregator"
ok fx collaborator certify --request-pkg "$work/site3/WS/col_site3_to_agg_cert_request.zip" --silent
cd "$work/site3/WS"
ok fx collaborator certify --import "$aggregator/agg_to_col_site3_signed_cert.zip"
wait_until 5 "Collaborators may take part from the next round on: site3" "$log"
start_site 3
wait_until 60 "Collaborator site3 is sending task results for train" "$log"

# The aggregator's certificate is renewed.
cd "$aggregator"
before=$(shown_serial)
ok fx pki renew localhost
ok fx pki verify
wanted=$(openssl x509 -noout -serial -in cert/server/agg_localhost.crt)
[ "$wanted" != "$before" ] || fail "the renewed certificate has the old serial number"
deadline=$((SECONDS + 10))
until [ "$(shown_serial)" = "$wanted" ]; do
  [ "$SECONDS" -lt "$deadline" ] || fail "the old certificate is still shown after 10 s"
done

# Site 2 is revoked, and gone within seconds.
ok fx pki revoke site2
wait "${process[site2]}" && fail "a revoked site ended as if all were well"
wait_until 10 "was revoked" "$work/site2.err"
chain="-CAfile cert/cert_chain.crt -CRLfile cert/ca/signing-ca.crl"
for k in 1 2 3; do
  verdict=0
  # shellcheck disable=SC2086
  openssl verify -crl_check $chain "cert/client/col_site$k.crt" >/dev/null 2>&1 || verdict=$?
  [ $((verdict != 0)) -eq $((k == 2)) ] || fail "openssl verify says $verdict of site$k"
done
kill -0 "${process[site1]}" || fail "site1 is gone"
kill -0 "${process[site3]}" || fail "site3 is gone"
