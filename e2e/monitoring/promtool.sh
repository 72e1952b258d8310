#!/usr/bin/env bash
# Has promtool read the alert rules, play their unit tests, and read the queries of all panels with their variables filled
# in. Needs Go and no network but the module proxy; promtool is of the version of the bed's Prometheus.
#
#   promtool.sh QUERIES     QUERIES is what `monitoring queries` prints
set -euo pipefail
queries=$(realpath "${1:?usage: promtool.sh QUERIES}")
cd "$(dirname "$0")"
command -v go >/dev/null || { echo 'Go is missing: https://go.dev/dl'; exit 1; }
rules=$(realpath ../../deploy/monitoring)
promtool=$(cd promtool && go tool -n promtool)
"$promtool" check rules --lint=all --lint-fatal "$rules/rules.yaml"
"$promtool" check rules --lint=none "$queries"
(cd "$rules" && "$promtool" test rules rules-test.yaml)
