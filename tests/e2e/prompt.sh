#!/usr/bin/env bash
# Commands that have nothing to work on answer within 50 ms of processor time.
source "$(dirname "$0")/common.inc"

fx workspace create --prefix WS --template cnn_mnist >/dev/null 2>&1
cd WS
if ldd "$FX" | grep -qE "asan|tsan"; then exit 0; fi
/usr/bin/python3 - <<'PYTHON'
import os, resource, subprocess

def milliseconds(words):
    """The least of five: whatever else the machine does only adds to it."""
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([os.environ["FX"], *words], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return 1000 * min(spent)

for line in ("--version", "--help", "plan --help", "aggregator start --help", "plan print",
             "plan save", "status", "collaborator create -n one -d 1 -s", "tutorial start"):
    took = milliseconds(line.split())
    print(f"fx {line}: {took:.0f} ms")
    assert took < 50, line
PYTHON
