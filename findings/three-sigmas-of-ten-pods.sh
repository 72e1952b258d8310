#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0).
#
# Guess: `errors > scalar(avg(errors) + 3 * stddev(errors))` finds the one pod of ten that fails everything while the others
# fail nothing.
#
# Really: it never does with fewer than eleven pods, however bad the one is: its own value raises the deviation with it, and
# of n values none is more than the root of n - 1 deviations above their mean. With two sigmas, fewer than six pods.
#
# Matters: such a check of a canary, and such an alert, passes for every service of ordinary size. Compare with the median,
# or with the pods of the primary alone.
#
# Seen, for n pods of which one has 1000 errors and the others none: the answers below.
set -euo pipefail
. "$(dirname "$0")/lib/promql.sh"
{
  echo "load 15s"
  for pods in 2 5 6 10 11; do
    echo "  errors{pods=\"$pods\",pod=\"1\"} 1000x40"
    for pod in $(seq 2 "$pods"); do echo "  errors{pods=\"$pods\",pod=\"$pod\"} 0x40"; done
  done
  echo
  for pods in 2 5 6 10 11; do
    x="errors{pods=\"$pods\"}"
    for sigmas in 2 3; do echo "10m count($x > scalar(avg($x) + $sigmas * stddev($x)))"; done
    echo "10m count($x > scalar(3 * quantile(0.5, $x)))"
  done
} | promql v0.315.0
expect <<'TXT'
count(errors{pods="2"} > scalar(avg(errors{pods="2"}) + 2 * stddev(errors{pods="2"}))) = nothing
count(errors{pods="2"} > scalar(avg(errors{pods="2"}) + 3 * stddev(errors{pods="2"}))) = nothing
count(errors{pods="2"} > scalar(3 * quantile(0.5, errors{pods="2"}))) = nothing
count(errors{pods="5"} > scalar(avg(errors{pods="5"}) + 2 * stddev(errors{pods="5"}))) = nothing
count(errors{pods="5"} > scalar(avg(errors{pods="5"}) + 3 * stddev(errors{pods="5"}))) = nothing
count(errors{pods="5"} > scalar(3 * quantile(0.5, errors{pods="5"}))) = 1
count(errors{pods="6"} > scalar(avg(errors{pods="6"}) + 2 * stddev(errors{pods="6"}))) = 1
count(errors{pods="6"} > scalar(avg(errors{pods="6"}) + 3 * stddev(errors{pods="6"}))) = nothing
count(errors{pods="6"} > scalar(3 * quantile(0.5, errors{pods="6"}))) = 1
count(errors{pods="10"} > scalar(avg(errors{pods="10"}) + 2 * stddev(errors{pods="10"}))) = 1
count(errors{pods="10"} > scalar(avg(errors{pods="10"}) + 3 * stddev(errors{pods="10"}))) = nothing
count(errors{pods="10"} > scalar(3 * quantile(0.5, errors{pods="10"}))) = 1
count(errors{pods="11"} > scalar(avg(errors{pods="11"}) + 2 * stddev(errors{pods="11"}))) = 1
count(errors{pods="11"} > scalar(avg(errors{pods="11"}) + 3 * stddev(errors{pods="11"}))) = 1
count(errors{pods="11"} > scalar(3 * quantile(0.5, errors{pods="11"}))) = 1
TXT
