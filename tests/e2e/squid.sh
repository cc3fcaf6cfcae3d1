#!/usr/bin/env bash
# A site behind squid, which asks for a user and a password: squid's own log is the judge.
source "$(dirname "$0")/common.inc"

squid=$(PATH=$PATH:/usr/sbin command -v squid) && helper=/usr/lib/squid/basic_ncsa_auth &&
  [ -x "$helper" ] || { echo "skipped: squid is not installed"; exit 77; }

prepare_federation 1
public=$(sed -nE 's/^ *agg_port *: *([0-9]+).*/\1/p' plan/plan.yaml)
proxy=$(free_port)
mkdir "$work/squid"
printf 'ann:%s\n' "$(openssl passwd -apr1 'p@ss word')" >"$work/squid/users"
cat >"$work/squid/conf" <<CONF
http_port 127.0.0.1:$proxy
auth_param basic program $helper $work/squid/users
auth_param basic children 1
acl known proxy_auth REQUIRED
acl aggregator port $public
http_access deny !aggregator
http_access allow CONNECT known
http_access deny all
cache deny all
access_log stdio:$work/squid/access.log
cache_log $work/squid/cache.log
pid_filename none
coredump_dir $work/squid
shutdown_lifetime 1 seconds
CONF
chmod 755 "$work"
if [ "$(id -u)" -eq 0 ]; then chown -R proxy "$work/squid"; fi
"$squid" -N -f "$work/squid/conf" >"$work/squid.out" 2>"$work/squid.err" &
children+=($!)
until (exec 3<>"/dev/tcp/127.0.0.1/$proxy") 2>/dev/null; do
  kill -0 "${children[-1]}" || { cat "$work/squid/cache.log"; fail "squid does not start"; }
  read -rt 0.1 <> <(:) || true
done

start_aggregator
echo "=== a site that squid does not know"
cd "$site1"
printf 'p@ss word\n' >"$work/password"
chmod 600 "$work/password"
echo "proxy: http://127.0.0.1:$proxy" >site.yaml
refused 4 'wants to know who asks (407 Proxy Authentication Required)' fx collaborator ping -n site1

echo "=== a port that squid does not allow"
printf 'proxy_user: ann\nproxy_password_file: %s\n' "$work/password" >>site.yaml
cp plan/plan.yaml "$work/plan.yaml"
ok fx plan set network.settings.agg_port 1
refused 5 "does not let connections to localhost:1 through (403 Forbidden)" \
  fx collaborator ping -n site1
cp "$work/plan.yaml" plan/plan.yaml

echo "=== one that it knows, and one that needs no proxy"
start_site 1
start_site 2
for name in site1 site2 aggregator; do wait_for "$name"; done
grep -qE "TCP_TUNNEL/200 [0-9]{6,} CONNECT localhost:$public ann " "$work/squid/access.log" ||
  { cat "$work/squid/access.log"; fail "the models did not go through squid"; }
! grep -rqF 'p@ss word' "$work"/*.err "$work"/*.out || fail "the password was logged"
