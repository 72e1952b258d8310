#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0): `anchored` and `smoothed` selectors do not count the first value of a series.
#
# Guess: `increase(x[1m] anchored)` cures what is wrong with increase: no extrapolation, and a counter that appears with
# 57 in the window has risen by 57.
#
# Really: no extrapolation, but where there is no sample before the window the first one inside it is the anchor: what
# it came with is not counted, as without the word.
#
# Matters: the first failures of a canary are a new series (a code that was never there). With `anchored` too they read
# as 0. What counts them is a difference of sums, or a client that creates its series with 0 at start.
#
# Seen: the answers below; failed_total appears at 9m15s with 57, and stays there.
set -euo pipefail
. "$(dirname "$0")/lib/promql.sh"
promql v0.315.0 <<'TXT'
load 15s
  failed_total _x37 57 57 57 57

10m increase(failed_total[1m])
10m increase(failed_total[1m] anchored)
10m increase(failed_total[1m] smoothed)
TXT
expect <<'TXT'
increase(failed_total[1m]) = 0
increase(failed_total[1m] anchored) = 0
increase(failed_total[1m] smoothed) = 0
TXT
