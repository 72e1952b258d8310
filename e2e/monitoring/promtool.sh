#!/usr/bin/env bash
# Checks the alert rules with promtool, runs their unit tests, and parses the queries of all panels with their variables filled in. Needs
# Go and no network except the module proxy. promtool has the version of the bed's Prometheus.
#
#   promtool.sh QUERIES     QUERIES is the output of `monitoring queries`
set -euo pipefail
queries=$(realpath "${1:?usage: promtool.sh QUERIES}")
cd "$(dirname "$0")"
command -v go >/dev/null || { echo 'Go is missing: https://go.dev/dl'; exit 1; }
rules=$(realpath ../../deploy/monitoring)
promtool=$(cd promtool && go tool -n promtool)
"$promtool" check rules --lint=all --lint-fatal "$rules/rules.yaml"
"$promtool" check rules --lint=none "$queries"
(cd "$rules" && "$promtool" test rules rules-test.yaml)
