#!/usr/bin/env bash
# An aggregator behind a port forwarding, a site behind a proxy that asks who it is, with a limited
# rate, and a site that goes through the forwarding.
source "$(dirname "$0")/common.inc"
here=$(cd "$(dirname "$0")" && pwd)

prepare_federation 2
public=$(sed -nE 's/^ *agg_port *: *([0-9]+).*/\1/p' plan/plan.yaml)
inner=$(free_port)

in_background aggregator fx aggregator start --listen "127.0.0.1:$inner"
/usr/bin/python3 "$here/forward.py" "$public" "$inner" >"$work/forward.out" 2>"$work/forward.err" &
children+=($!)
mkfifo "$work/proxy.in"
"$CONNECT_PROXY" "$inner" 'HOSPITAL\ann:p@ss: word' <"$work/proxy.in" >"$work/proxy.out" &
children+=($!)
exec 7>"$work/proxy.in"
for file in forward proxy; do
  until [ -s "$work/$file.out" ]; do read -rt 0.05 <> <(:) || true; done
done
proxy=$(head -n 1 "$work/proxy.out")

echo "=== a site behind a proxy that asks who it is"
cd "$site1"
printf 'wrong' >"$work/password"
chmod 644 "$work/password"
cat >site.yaml <<YAML
proxy: http://localhost:$proxy
proxy_user: HOSPITAL\\ann
proxy_password_file: $work/password
max_rate: 4 MB/s
YAML
refused 1 'every user of this machine can read' fx collaborator start -n site1
chmod 600 "$work/password"
refused 4 'does not accept the user HOSPITAL\ann' fx collaborator start -n site1
refused 4 'does not accept the user HOSPITAL' fx collaborator ping -n site1
printf 'p@ss: word\n' >"$work/password"
for _ in {1..600}; do
  fx collaborator ping -n site1 >"$work/ping.out" 2>"$work/ping.err" && break
  read -rt 0.1 <> <(:) || true
done
ok fx collaborator ping -n site1
grep -qE "^ok +proxy +localhost:$proxy \(from site.yaml\) connects to localhost:$public" \
  "$work/ok.out" || fail "no step for the proxy"

echo "=== nobody takes part outside of its hours"
cp site.yaml "$work/site.yaml"
case $(date +%u) in 1 | 2 | 3) days=Fri-Sat ;; *) days=Tue ;; esac
echo "hours: $days 00:00-24:00" >>site.yaml
in_background asleep fx collaborator start -n site1
until grep -q "outside of this site's hours" "$work/asleep.err"; do
  kill -0 "${process[asleep]}" || fail "the site did not wait"
  read -rt 0.05 <> <(:) || true
done
fx collaborator ping -n site1 >"$work/ping.out"
grep -qE "^warning +hours" "$work/ping.out" || fail "ping does not say that the site is asleep"
kill -TERM "${process[asleep]}"
wait "${process[asleep]}" || true
cp "$work/site.yaml" site.yaml

echo "=== the federation"
start_site 1
start_site 2
for name in site1 site2 aggregator; do wait_for "$name"; done
[ -s "$aggregator/save/best.pbuf" ] || fail "no best model"
grep -q "transfers are limited" "$work/site1.err" || fail "the limit is not in the log"
exec 7>&-
until grep -q tunnels "$work/proxy.out"; do read -rt 0.05 <> <(:) || true; done
! grep -q "^0 tunnels" "$work/proxy.out" || fail "site1 did not go through the proxy"
! grep -rqF 'p@ss: word' "$work"/*.err "$work"/*.out "$site1/logs" || fail "the password was logged"

echo "=== site.yaml does not travel"
cd "$aggregator"
cp "$work/site.yaml" .
ok fx workspace export
! unzip_list WS.zip | grep -q site.yaml || fail "site.yaml is in the archive"
