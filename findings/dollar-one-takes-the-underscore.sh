#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0); the same in regexp of Go 1.26 and regex 1.13.2 (Rust), and not in JavaScript.
#
# Guess: in `label_replace(x, "workload", "$1_primary", "service", "(.*)-canary")` "$1" is the first group, and "_primary"
# stands behind it.
#
# Really: letters, digits and underscores behind the dollar all belong to the name: "$1_primary" is a group that does not
# exist, which is nothing, without an error. An empty label is none: the one that was there is taken away. "$1-primary" and
# "${1}_primary" are what was meant.
#
# Matters: a MetricTemplate or a relabeling that makes the name of a workload, a cluster or a metric in this way matches
# nothing ("no values found"), or adds up what it was to tell apart, the canary and the primary. Write the braces.
#
# Seen: the answers below.
set -euo pipefail
. "$(dirname "$0")/lib/promql.sh"
promql v0.315.0 <<'TXT'
load 15s
  requests{service="app-canary", workload="unknown"} 1x40

10m label_replace(requests, "workload", "$1_primary", "service", "(.*)-canary")
10m label_replace(requests, "workload", "${1}_primary", "service", "(.*)-canary")
10m label_replace(requests, "workload", "$1-primary", "service", "(.*)-canary")
TXT
expect <<'TXT'
label_replace(requests, "workload", "$1_primary", "service", "(.*)-canary") = {__name__="requests", service="app-canary"} 1
label_replace(requests, "workload", "${1}_primary", "service", "(.*)-canary") = {__name__="requests", service="app-canary", workload="app_primary"} 1
label_replace(requests, "workload", "$1-primary", "service", "(.*)-canary") = {__name__="requests", service="app-canary", workload="app-primary"} 1
TXT
