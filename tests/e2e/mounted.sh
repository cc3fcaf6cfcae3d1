#!/usr/bin/env bash
# A list of collaborators that is mounted by itself, or in a read-only folder, as containers do: a
# change is refused with words for whoever mounted it so, and nothing is left behind.
source "$(dirname "$0")/common.inc"

unshare --map-root-user --mount true 2>/dev/null ||
  { echo "skipped: this user may not mount anything"; exit 77; }

ok fx workspace create --prefix ws --template logistic_regression
cd ws
ok fx aggregator add -n hospital1
cp plan/cols.yaml "$work/cols.yaml"
ls -A plan >"$work/before"

# mounted 'COMMANDS' : these and then the change, with mounts of their own.
mounted() { unshare --map-root-user --mount bash -c "set -e; $1; exec '$FX' aggregator add -n x"; }

refused 1 "cannot write plan/cols.yaml: the file is mounted here by itself" \
  mounted "mount --bind '$work/cols.yaml' plan/cols.yaml"
grep -q "hint: change it where it comes from .*ConfigMap.*mount the folder" "$work/refused.err" ||
  fail "it does not say what to do: $(cat "$work/refused.err")"
# Read-only, as is everything around it.
refused 1 "the file is mounted here by itself" \
  mounted "mount --bind plan plan; mount --bind '$work/cols.yaml' '$PWD/plan/cols.yaml';
    mount -o remount,ro,bind '$PWD/plan'; cd '$PWD'"
refused 4 "cannot write plan/cols.yaml: Read-only file system" \
  mounted "mount --bind plan plan; mount -o remount,ro,bind '$PWD/plan'; cd '$PWD'"
grep -q "hint: its folder is mounted read-only: change the file where it comes from" \
  "$work/refused.err" || fail "it does not say what to do: $(cat "$work/refused.err")"

cmp plan/cols.yaml "$work/cols.yaml" || fail "the list has changed"
ls -A plan | cmp - "$work/before" || fail "something is left behind"
ok fx aggregator add -n x
