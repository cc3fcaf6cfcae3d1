#!/usr/bin/env bash
# Whoever is killed with -9, at whatever moment, and started again with the same command: the federation
# ends with the same final model, bit for bit.
source "$(dirname "$0")/common.inc"

prepare_federation 3
run_federation
expected=$(sha256 save/last.pbuf)

# A process is killed as soon as the aggregator's journal has grown by so many records.
records() {
  /usr/bin/python3 - "$aggregator" "$1" <<'PYTHON'
import glob, sqlite3, sys, time
folder, wanted = sys.argv[1], int(sys.argv[2])
deadline = time.monotonic() + 60
while time.monotonic() < deadline:
    for file in glob.glob(folder + "/local_state/aggregator/*/journal.db"):
        try:
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as journal:
                if journal.execute("select count(*) from record").fetchone()[0] >= wanted:
                    sys.exit(0)
        except sqlite3.OperationalError:
            pass
sys.exit("the journal did not grow")
PYTHON
}

kill_and_restart() {
  kill -KILL "${process[$1]}"
  wait "${process[$1]}" 2>/dev/null || true
  if [ "$1" = aggregator ]; then start_aggregator; else start_site "${1#site}"; fi
}

try() {
  echo "--- $1 is killed after $2 records"
  rm -rf "$aggregator"/{local_state,save/last.pbuf,save/best.pbuf} "$site1/local_state" "$site2/local_state"
  start_aggregator
  start_site 1
  start_site 2
  records "$2" || fail "the journal did not reach $2 records"
  kill_and_restart "$1"
  for name in site1 site2 aggregator; do wait_for "$name"; done
  [ "$(sha256 "$aggregator/save/last.pbuf")" = "$expected" ] || fail "the final model has other bytes"
}

for victim in aggregator site1; do
  for moment in 1 2 4 7 9 10 12 17 20; do try "$victim" "$moment"; done
done
