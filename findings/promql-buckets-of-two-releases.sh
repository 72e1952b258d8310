#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0): a quantile over pods whose histograms have different buckets is above all of them.
#
# Guess: histogram_quantile over `sum by (le)` of an old release with the bucket 0.1 s and a new one with 1 s and 5 s is an
# error, or lies between what the two have alone.
#
# Really: a bucket that one of them lacks counts as if its requests were slower. Here the p90 of the old pods is 0.09 s and
# of the new ones 0.91 s, and together it is 5 s, the largest bound, although no request took more than one.
#
# Matters: a release that changes the buckets of a histogram fails every check and alert over both versions, while the
# primary rolls as well. Keep the old bounds and add to them; judge a quantile by the canary's pods alone.
#
# Seen: the answers below.
set -euo pipefail
. "$(dirname "$0")/lib/promql.sh"
promql v0.315.0 <<'TXT'
load 15s
  seconds_bucket{pod="old",le="0.1"} 0+100x40
  seconds_bucket{pod="old",le="+Inf"} 0+100x40
  seconds_bucket{pod="new",le="0.1"} 0+0x40
  seconds_bucket{pod="new",le="1"} 0+100x40
  seconds_bucket{pod="new",le="5"} 0+100x40
  seconds_bucket{pod="new",le="+Inf"} 0+100x40

10m histogram_quantile(0.9, sum by (le) (rate(seconds_bucket{pod="old"}[5m])))
10m histogram_quantile(0.9, sum by (le) (rate(seconds_bucket{pod="new"}[5m])))
10m histogram_quantile(0.9, sum by (le) (rate(seconds_bucket[5m])))
TXT
expect <<'TXT'
histogram_quantile(0.9, sum by (le) (rate(seconds_bucket{pod="old"}[5m]))) = 0.09
histogram_quantile(0.9, sum by (le) (rate(seconds_bucket{pod="new"}[5m]))) = 0.91
histogram_quantile(0.9, sum by (le) (rate(seconds_bucket[5m]))) = 5
TXT
