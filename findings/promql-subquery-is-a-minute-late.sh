#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0): a subquery without a step of its own may not see the last minute at all.
#
# Guess: max_over_time((error ratio)[1m:]) is the worst of the last minute, up to now.
#
# Really: the moments at which a subquery is evaluated are multiples of its step since 1970, whatever the time of the
# question; the step that is left out is the global evaluation_interval, one minute unless set. At 12:00:59 the only
# moment in [1m:] is 12:00:00: 59 seconds old.
#
# Matters: a check with such a query judges a step by what was before the step. Write a step of a few seconds
# ([1m:5s]), and no subquery where rate() alone will do.
#
# Seen: the answers below; everything fails since 9m05s.
set -euo pipefail
. "$(dirname "$0")/lib/promql.sh"
promql v0.315.0 <<'TXT'
load 5s
  error_ratio 0x108 1x20

9m59s error_ratio
9m59s max_over_time(error_ratio[1m])
9m59s max_over_time((error_ratio)[1m:])
9m59s max_over_time((error_ratio)[1m:5s])
10m max_over_time((error_ratio)[1m:])
TXT
expect <<'TXT'
error_ratio = {__name__="error_ratio"} 1
max_over_time(error_ratio[1m]) = 1
max_over_time((error_ratio)[1m:]) = 0
max_over_time((error_ratio)[1m:5s]) = 1
max_over_time((error_ratio)[1m:]) = 1
TXT
