#!/usr/bin/env bash
# Prometheus 3.15.0 (module github.com/prometheus/prometheus v0.315.0): NaN becomes 0 behind `bool`, and vanishes in
# `max` and `min`.
#
# Guess: no traffic is 0/0, which is NaN, and NaN stays NaN until somebody looks at it.
#
# Really: a comparison with `bool` is false for NaN, that is 0; `max` and `min` take any number before NaN. `sum`, `avg`
# and clamp_max keep it. And `or vector(0)` does not help, as NaN is a value.
#
# Matters: for Serin NaN is "no data", a failed check. A query that ends in `> bool 0.05` with max: 0 passes a canary
# that has had no request, and `max` over both sides judges the one that has traffic. Compare by thresholdRange,
# not in the query.
#
# Seen: the answers below (failed/all is 0/0; the primary has 0.01).
set -euo pipefail
. "$(dirname "$0")/lib/promql.sh"
promql v0.315.0 <<'TXT'
load 15s
  failed{side="canary"}  0x40
  all{side="canary"}     0x40
  failed{side="primary"} 0+1x40
  all{side="primary"}    0+100x40

10m rate(failed{side="canary"}[1m]) / rate(all{side="canary"}[1m])
10m rate(failed{side="canary"}[1m]) / rate(all{side="canary"}[1m]) > bool 0.05
10m max(rate(failed[1m]) / rate(all[1m]))
10m sum(rate(failed[1m]) / rate(all[1m]))
10m sum(rate(failed{side="canary"}[1m])) / sum(rate(all{side="canary"}[1m])) or vector(0)
TXT
expect <<'TXT'
rate(failed{side="canary"}[1m]) / rate(all{side="canary"}[1m]) = {side="canary"} NaN
rate(failed{side="canary"}[1m]) / rate(all{side="canary"}[1m]) > bool 0.05 = {side="canary"} 0
max(rate(failed[1m]) / rate(all[1m])) = 0.01
sum(rate(failed[1m]) / rate(all[1m])) = NaN
sum(rate(failed{side="canary"}[1m])) / sum(rate(all{side="canary"}[1m])) or vector(0) = NaN
TXT
