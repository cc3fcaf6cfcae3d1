#!/usr/bin/env bash
# A plan in bfloat16, at a site whose processor has none beside one that may: both take part.
source "$(dirname "$0")/common.inc"

unset DNNL_MAX_CPU_ISA
prepare_federation 2 's|^( *)threads: auto.*|&\n\1precision: bf16|'
start_aggregator
DNNL_MAX_CPU_ISA=AVX2 start_site 1
start_site 2
for name in site1 site2 aggregator; do wait_for "$name"; done

grep -q 'is ready.* precision=float32' "$work/site1.err" || fail "site1 does not say its precision"
grep -q 'this processor has no bfloat16, which the plan asks for: trains in float32' \
  "$work/site1.err" || fail "site1 does not say that it cannot do as the plan says"
precision=float32
if grep -qw avx512_bf16 /proc/cpuinfo; then precision=bf16; fi
grep -q "is ready.* precision=$precision" "$work/site2.err" || fail "site2 is not in $precision"
cd "$aggregator"
fx status >"$work/status.txt"
grep -q 'The federation is over' "$work/status.txt" || fail "$(cat "$work/status.txt")"
