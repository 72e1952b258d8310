#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0): a difference of two sets of series leaves out what only one of them has.
#
# Guess: sum(rate(all[1m]) - rate(failed[1m])) is the rate of good requests; a pod that has never failed has nothing to
# take away.
#
# Really: a pod without a series of failures is in no pair, so its requests are not in the difference at all. With one bad
# pod of three, only that one counts.
#
# Matters: the better the pods, the worse the rate: here 99.67 % good requests are 33 %, and a good canary is rolled back.
# Take the difference of sums, or ask for the good ones by their code.
#
# Seen: the answers below; each pod has 100 requests a minute, pod c fails one of them.
set -euo pipefail
. "$(dirname "$0")/lib/promql.sh"
promql v0.315.0 <<'TXT'
load 15s
  all_total{pod="a"}    0+25x40
  all_total{pod="b"}    0+25x40
  all_total{pod="c"}    0+25x40
  failed_total{pod="c"} 0+0.25x40

10m sum(rate(all_total[1m]) - rate(failed_total[1m])) / sum(rate(all_total[1m])) * 100
10m (sum(rate(all_total[1m])) - sum(rate(failed_total[1m]))) / sum(rate(all_total[1m])) * 100
10m count(rate(all_total[1m]) - rate(failed_total[1m]))
TXT
expect <<'TXT'
sum(rate(all_total[1m]) - rate(failed_total[1m])) / sum(rate(all_total[1m])) * 100 = 33
(sum(rate(all_total[1m])) - sum(rate(failed_total[1m]))) / sum(rate(all_total[1m])) * 100 = 99.6667
count(rate(all_total[1m]) - rate(failed_total[1m])) = 1
TXT
