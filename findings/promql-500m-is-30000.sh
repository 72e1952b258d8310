#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0): 500m in an expression is 500 minutes, the number 30000.
#
# Guess: 500m is a half, as in every CPU request of Kubernetes and in the external metrics API; or it is a syntax error
# outside of brackets.
#
# Really: a duration is a number of seconds wherever a number may be: 5m is 300, 1h is 3600, 500m is 30000. 0.5m is an
# error, and so are the other suffixes of Kubernetes (1k, 1Ki).
#
# Matters: "p99 > 500m" never holds: a check or an alert that is always fine. Write 0.5, or 500ms, which is right by
# accident.
#
# Seen: the answers below.
set -euo pipefail
. "$(dirname "$0")/lib/promql.sh"
promql v0.315.0 <<'TXT'
load 15s
  p99_seconds 0.6x40

10m p99_seconds > 0.5
10m p99_seconds > 500m
10m p99_seconds > 500ms
10m 500m
TXT
expect <<'TXT'
p99_seconds > 0.5 = {__name__="p99_seconds"} 0.6
p99_seconds > 500m = nothing
p99_seconds > 500ms = {__name__="p99_seconds"} 0.6
500m = 30000
TXT
