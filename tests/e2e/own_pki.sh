#!/usr/bin/env bash
# Certificates of two organisations' own authorities, made by openssl: the aggregator's with two
# intermediates, a site's with one, and a site of fx's own authority beside them.
source "$(dirname "$0")/common.inc"

prepare_federation 1
mkdir "$work/pki" && cd "$work/pki"

# key NAME
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" && chmod 600 "$1.key"; }
# issue NAME SUBJECT ISSUER EXTENSIONS: NAME.crt, signed by ISSUER, or by itself.
issue() {
  key "$1"
  printf '%b' "$4" >"$1.ext"
  openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr" 2>/dev/null
  local signer=(-signkey "$1.key")
  [ "$1" = "$3" ] || signer=(-CA "$3.crt" -CAkey "$3.key" -CAcreateserial)
  openssl x509 -req -in "$1.csr" "${signer[@]}" -days 365 -extfile "$1.ext" -out "$1.crt" \
    2>/dev/null
}
authority='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'
issue rootA "Example Trust Root" rootA "$authority"
issue policyA "Example Policy CA" rootA "$authority"
issue issuingA "Example Issuing CA" policyA "$authority"
issue aggregator localhost issuingA 'extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost\n'
issue rootB "Hospital Root" rootB "$authority"
issue issuingB "Hospital Issuing CA" rootB "$authority"
issue site site1 issuingB 'extendedKeyUsage=clientAuth\n'
issue other "Unrelated Root" other "$authority"

cp aggregator.crt "$aggregator/cert/server/agg_localhost.crt"
cp aggregator.key "$aggregator/cert/server/agg_localhost.key"
cat issuingB.crt issuingA.crt rootB.crt policyA.crt rootA.crt >>"$aggregator/cert/cert_chain.crt"
cp site.crt "$site1/cert/client/col_site1.crt"
cp site.key "$site1/cert/client/col_site1.key"
cat rootB.crt issuingB.crt >"$site1/cert/cert_chain.crt"
cat other.crt issuingA.crt policyA.crt rootA.crt >"$site1/authorities.pem"
cat rootA.crt policyA.crt issuingA.crt >>"$site2/cert/cert_chain.crt"

start_aggregator
echo "=== a site that does not trust the aggregator's authority"
cd "$site1"
for _ in {1..600}; do
  fx collaborator ping -n site1 >"$work/ping.out" 2>"$work/ping.err" && break
  ! grep -q "^failed *TLS .*trusts" "$work/ping.out" || break
  read -rt 0.1 <> <(:) || true
done
refused 4 'was signed by "Example Issuing CA"' fx collaborator ping -n site1
refused 4 'cert_chain.crt trusts "Hospital Issuing CA"' fx collaborator ping -n site1
echo "=== one that has a bundle of authorities"
echo "ca_bundle: authorities.pem" >site.yaml
ok fx collaborator ping -n site1
echo "=== one whose bundle lacks the intermediate in the middle"
cat "$work/pki/issuingA.crt" "$work/pki/rootA.crt" >short.pem
echo "ca_bundle: short.pem" >site.yaml
refused 4 'short.pem' fx collaborator ping -n site1
echo "ca_bundle: authorities.pem" >site.yaml

echo "=== the federation"
start_site 1
start_site 2
for name in site1 site2 aggregator; do wait_for "$name"; done
[ -s "$aggregator/save/best.pbuf" ] || fail "no best model"
