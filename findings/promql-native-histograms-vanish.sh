#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0).
#
# Guess: native histograms add up, whatever their buckets, and "where there is traffic", `> 0`, and the worst pod, `max`,
# work for them as for numbers.
#
# Really: one with exponential buckets and one with custom buckets, which classic histograms become by
# `convert_classic_histograms_to_nhcb`, have no sum: the answer is empty, beside a warning. `> 0`, `max` and
# `max_over_time` leave all histograms out, and the answer is empty, too.
#
# Matters: a release that switches native histograms on beside a primary whose classic ones are converted takes the quantile
# over both away: "no values found", or an error that freezes the run. Each alone has one, as do counts:
# `sum(histogram_count(x))`. Ask by version, and turn to numbers before `>` and `max`.
#
# Seen: the answers below.
set -euo pipefail
. "$(dirname "$0")/lib/promql.sh"
promql v0.315.0 <<'TXT'
load 15s
  seconds{version="primary"} {{schema:-53 sum:5 count:4 custom_values:[5 10] buckets:[1 2 1]}}x40
  seconds{version="canary"} {{schema:0 sum:5 count:4 buckets:[1 2 1]}}x40

10m histogram_quantile(0.5, seconds)
10m histogram_quantile(0.5, sum(seconds))
10m histogram_count(sum(seconds))
10m sum(histogram_count(seconds))
10m histogram_quantile(0.5, seconds{version="canary"} > 0)
10m histogram_quantile(0.5, max(seconds{version="canary"}))
10m max(histogram_quantile(0.5, seconds{version="canary"}))
10m histogram_count(max_over_time(seconds{version="canary"}[5m]))
TXT
expect <<'TXT'
histogram_quantile(0.5, seconds) = {version="primary"} 7.5; {version="canary"} 1.41421
histogram_quantile(0.5, sum(seconds)) = nothing
histogram_count(sum(seconds)) = nothing
sum(histogram_count(seconds)) = 8
histogram_quantile(0.5, seconds{version="canary"} > 0) = nothing
histogram_quantile(0.5, max(seconds{version="canary"})) = nothing
max(histogram_quantile(0.5, seconds{version="canary"})) = 1.41421
histogram_count(max_over_time(seconds{version="canary"}[5m])) = nothing
TXT
