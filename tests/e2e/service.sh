#!/usr/bin/env bash
# Aggregator and site as services: what systemd and Prometheus are told, what SIGHUP and SIGTERM do,
# and that every line of log is JSON if that was asked for.
source "$(dirname "$0")/common.inc"

# get PORT PATH: the status of the answer and its body.
get() {
  /usr/bin/python3 - "$@" <<'PYTHON'
import http.client, sys
link = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
link.request("GET", sys.argv[2])
answer = link.getresponse()
print(answer.status, answer.read().decode(), end="")
PYTHON
}

# expect 'BEGINNING' PORT PATH: what the answer begins with, at last within ten seconds.
expect() {
  local deadline=$((SECONDS + 10)) got
  until got=$(get "$2" "$3") && [ "${got#"$1"}" != "$got" ]; do
    [ "$SECONDS" -lt "$deadline" ] || fail "$3 answered \"$got\", expected \"$1\""
    read -rt 0.1 <> <(:) || true
  done
}

# stopped NAME: SIGTERM ends it within ten seconds, with exit code 3.
stopped() {
  local began=$SECONDS status=0
  kill -TERM "${process[$1]}"
  wait "${process[$1]}" || status=$?
  [ "$status" -eq 3 ] || fail "a stopped $1 ended with $status"
  [ $((SECONDS - began)) -le 10 ] || fail "$1 took $((SECONDS - began)) s to stop"
}

# systemd's end of NAME's notifications; they go to $work/NAME.told.
listen_for() {
  /usr/bin/python3 - "$work/$1.socket" "$work/$1.told" <<'PYTHON' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
with open(sys.argv[2], "w") as told:
    while True:
        print(s.recv(65536).decode(), file=told, flush=True)
PYTHON
  children+=($!)
  until [ -S "$work/$1.socket" ]; do read -rt 0.1 <> <(:) || true; done
}

prepare_federation 100000
listen_for aggregator
listen_for site1
aggregator_port=$(free_port)
site_port=$(free_port)

echo "=== ready"
cd "$aggregator"
NOTIFY_SOCKET=$work/aggregator.socket in_background aggregator \
  fx aggregator start --log-format json --health "$aggregator_port"
cd "$site1"
NOTIFY_SOCKET=$work/site1.socket FX_HEALTH=127.0.0.1:$site_port FX_LOG_FORMAT=json \
  in_background site1 fx collaborator start -n site1
start_site 2
wait_until 60 "READY=1" "$work/aggregator.told"
wait_until 60 "READY=1" "$work/site1.told"
wait_until 60 "STATUS=round 1: " "$work/aggregator.told"
wait_until 60 "STATUS=round 1: train" "$work/site1.told"

echo "=== healthy"
expect "200 ok" "$aggregator_port" /healthz
expect "200 round " "$aggregator_port" /readyz
expect "200 ok" "$site_port" /healthz
expect "200 " "$site_port" /readyz
expect "404 " "$aggregator_port" /
get "$aggregator_port" /metrics >"$work/aggregator.metrics"
get "$site_port" /metrics >"$work/site1.metrics"
/usr/bin/python3 - "$work/aggregator.metrics" fx_rounds_closed_total fx_collaborators_seen \
  "$work/site1.metrics" fx_sent_bytes_total fx_received_bytes_total <<'PYTHON'
import re, sys
for file, *names in (sys.argv[1:4], sys.argv[4:7]):
    status, text = open(file).read().split(" ", 1)
    assert status == "200", status
    values = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(r"[a-z_]+ [0-9.e+-]+", line), line
            name, value = line.split()
            values[name] = float(value)
    for name in names:
        assert values[name] > 0, (file, name, values)
PYTHON

echo "=== SIGHUP"
kill -HUP "${process[aggregator]}"
wait_until 10 "read again what may change while this runs" "$work/aggregator.err"
wait_until 10 "RELOADING=1" "$work/aggregator.told"
deadline=$((SECONDS + 10))
until [ "$(grep -c READY=1 "$work/aggregator.told")" -eq 2 ]; do
  [ "$SECONDS" -lt "$deadline" ] || fail "it was not ready after reloading"
  read -rt 0.1 <> <(:) || true
done

echo "=== a site's certificate is renewed while it runs, and the old one taken back"
serial_of() { openssl x509 -noout -serial -in "$1" | cut -d = -f 2; }
cd "$site1"
old=$(serial_of cert/client/col_site1.crt)
ok fx pki renew site1
cd "$aggregator"
ok fx collaborator certify --request-pkg "$site1/col_site1_to_agg_cert_request.zip" --silent
cd "$site1"
ok fx collaborator certify --import "$aggregator/agg_to_col_site1_signed_cert.zip"
new=$(serial_of cert/client/col_site1.crt)
[ "$new" != "$old" ] || fail "the renewed certificate has the old serial number"
kill -HUP "${process[site1]}"
wait_until 10 "\"serial\":\"$new\"" "$work/site1.err"
cd "$aggregator"
ok fx pki revoke --serial "$old"
wait_until 10 "the revocation list is in force" "$work/aggregator.err"
round=$(get "$site_port" /metrics | sed -n 's/^fx_round //p')
wait_until 60 "STATUS=round $((round + 2)): train" "$work/site1.told"

echo "=== SIGTERM"
stopped aggregator
grep -qx "STOPPING=1" "$work/aggregator.told" || fail "systemd was not told that it stops"
expect "503 the aggregator is not reachable" "$site_port" /readyz
stopped site1
stopped site2
for name in aggregator site1; do
  /usr/bin/python3 - "$work/$name.err" <<'PYTHON'
import json, sys
for line in open(sys.argv[1], "rb"):
    entry = json.loads(line)
    assert {"time", "level", "msg"} <= entry.keys(), entry
assert entry["exit_code"] == "3", entry
PYTHON
done

echo "=== nothing is asked of nobody"
cd "$aggregator"
key=cert/server/agg_localhost.key
openssl pkey -in $key -aes256 -passout pass:secret -out "$work/locked.key"
cat "$work/locked.key" >$key
timeout 20 script -qec "$FX aggregator start" "$work/terminal.out" >"$work/script.out" </dev/null &&
  fail "it started with a key that is locked"
grep -qF "is locked with a passphrase" "$work/terminal.out" ||
  fail "it did not say that the key is locked"
