#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0): timestamp() is the age of a sample for a plain selector only.
#
# Guess: time() - timestamp(x) is how old the data behind x are, and with sum(x) the age of the newest or oldest.
#
# Really: whatever has been through an operator or a function (sum, a minus sign, a factor, last_over_time) has the time
# of the evaluation. A plain selector, also one in parentheses or with an offset, has the sample's.
#
# Matters: a guard such as `time() - timestamp(sum(x)) < 60` is always true, so that a check that rests on it never
# notices that nothing is scraped any more. Write max(timestamp(x)).
#
# Seen: the answers below; the last sample is of 5m00s, the question of 9m59s.
set -euo pipefail
. "$(dirname "$0")/lib/promql.sh"
promql v0.315.0 <<'TXT'
load 15s
  x 1x20

9m59s time() - timestamp(x)
9m59s time() - max(timestamp(x))
9m59s time() - timestamp(sum(x))
9m59s time() - timestamp(x * 1)
9m59s time() - timestamp(last_over_time(x[5m]))
TXT
expect <<'TXT'
time() - timestamp(x) = 299
time() - max(timestamp(x)) = 299
time() - timestamp(sum(x)) = 0
time() - timestamp(x * 1) = 0
time() - timestamp(last_over_time(x[5m])) = 0
TXT
