#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0): `or vector(0)` is no default; it adds a second series with the value 0.
#
# Guess: `a or b` is b where a is empty, as coalesce in SQL, so `ratio by pod or vector(0)` is the ratios if there are
# any.
#
# Really: `or` goes by labels. vector(0) has none, so it is left out only beside a series without labels. Beside a series
# with labels it is there as well. `or on() vector(0)` is the default that was meant.
#
# Matters: Serin wants every series within the range. With min: 99 the added 0 fails each check of a canary that is fine;
# with max it hides that there is no data. Sum all labels away first, or write `or on()`.
#
# Seen: the answers below.
set -euo pipefail
. "$(dirname "$0")/lib/promql.sh"
promql v0.315.0 <<'TXT'
load 15s
  success_percent{pod="a"} 99.9x40

10m success_percent or vector(0)
10m success_percent or on() vector(0)
10m avg(success_percent) or vector(0)
10m avg by (pod) (missing) or on() vector(0)
TXT
expect <<'TXT'
success_percent or vector(0) = {__name__="success_percent", pod="a"} 99.9; 0
success_percent or on() vector(0) = {__name__="success_percent", pod="a"} 99.9
avg(success_percent) or vector(0) = 99.9
avg by (pod) (missing) or on() vector(0) = 0
TXT
