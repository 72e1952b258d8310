#!/usr/bin/env bash
# github.com/slok/sloth 0.16.0 (Go), with Prometheus 3.15.0 (module v0.315.0).
#
# Guess: the error ratio and the error budget of 30 days that Sloth's rules record are failures by requests, and minutes
# without requests do not count.
#
# Really: the ratio of 30 days is the mean of the recorded ratios of five minutes, whatever their traffic: one failure of
# two requests at night weighs as much as 50,000 of 100,000 by day. Without requests that ratio is 0 / 0, and one such
# sample makes the mean, and with it the budget that is left, NaN for 30 days. The alerts compare other windows, which are
# right again as soon as there are requests.
#
# Matters: a gate that holds releases while the budget is used up takes night for day, and NaN is neither above a limit nor
# below it: for a service that was idle once it never opens, or never closes, for a month. Write `> 0` behind the
# total_query, so that idle minutes have no sample, and compare increases over the 30 days where traffic varies.
#
# Seen: see `expect` below; five hours of 100 requests a second without a failure, then one failure of two requests, and
# then nothing. The samples are one minute apart.
set -euo pipefail
. "$(dirname "$0")/lib/promql.sh"
cat >"$work/slo.yml" <<'YAML'
version: prometheus/v1
service: shop
slos:
  - name: availability
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(failed_total[{{.window}}]))
        total_query: sum(rate(requests_total[{{.window}}]))
    alerting: { name: ShopFails }
YAML
mkdir "$work/sloth"
(cd "$work/sloth" && go mod init rules && go get -tool github.com/slok/sloth/cmd/sloth@v0.16.0 &&
  go build -o ../generate github.com/slok/sloth/cmd/sloth) 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
"$work/generate" generate -i "$work/slo.yml" -o "$work/rules.yml" 2>"$work/log"
# rule <name>: its expression on one line
rule() {
  awk -v name="$1" '$0 ~ "record: " name "$" { found = 1; next } found && /labels:/ { exit } found' "$work/rules.yml" |
    sed 's/^ *expr: |*//' | tr -s '\n ' ' ' | sed 's/^ *//; s/ *$//'
}
short=$(rule slo:sli_error:ratio_rate5m)
long=$(rule slo:sli_error:ratio_rate30d)
recorded='slo:sli_error:ratio_rate5m{sloth_id="ID", sloth_service="shop", sloth_slo="availability", sloth_window="5m"}'
idle=${long//shop-availability/idle-availability}
promql v0.315.0 >"$work/log" <<TXT
load 1m
  requests_total 0+6000x300 1800002x20
  failed_total 0x300 1x20
  ${recorded/ID/shop-availability} 0x299 0.5
  ${recorded/ID/idle-availability} 0x299 0.5 NaN

18360s sum(increase(failed_total[6h])) / sum(increase(requests_total[6h]))
18000s $long
18360s $short
18060s $idle
18060s $idle <= bool 0.001
18060s $idle > bool 0.001
TXT
{
  echo "for 30 days: $long"
  sed 's/.* / /' "$work/seen" | paste -d: <(printf '%s\n' "failures by requests" "by the rule for 30 days" \
    "for five minutes without requests" "the rule for 30 days behind it" "at most 0.001" "above 0.001") -
} | tee "$work/said"
mv "$work/said" "$work/seen"
expect <<'END'
for 30 days: sum_over_time(slo:sli_error:ratio_rate5m{sloth_id="shop-availability", sloth_service="shop", sloth_slo="availability"}[30d]) / ignoring (sloth_window) count_over_time(slo:sli_error:ratio_rate5m{sloth_id="shop-availability", sloth_service="shop", sloth_slo="availability"}[30d])
failures by requests: 5.55555e-07
by the rule for 30 days: 0.00166113
for five minutes without requests: NaN
the rule for 30 days behind it: NaN
at most 0.001: 0
above 0.001: 0
END
