#!/usr/bin/env bash
# promql-parser 0.12.0 (Python; made of the crate of that name), against the parser of Prometheus 3.15.0 (module v0.315.0).
#
# Guess: it takes what Prometheus takes, and writes what Prometheus reads.
#
# Really: between backticks, where Prometheus knows no escapes, it refuses `\d`. It takes `or` between matchers, which is
# VictoriaMetrics' language, and the names with dots of Prometheus 3, which it writes without their quotes.
#
# Matters: a check of MetricTemplates in CI that is built on it refuses good queries, as Grafana writes them, and passes some
# that freeze the run at their first step; a tool that adds labels to queries breaks those of OpenTelemetry's names. Ask a
# Prometheus instead: `promtool`, or /api/v1/parse_query.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
. "$(dirname "$0")/lib/promql_reads.sh"
cat >"$work/queries" <<'TXT'
requests{path=~`/users/\d+`}
requests{code="500" or code="503"}
sum by ("http.route") (requests)
sum by (http.route) (requests)
TXT
export QUERIES="$work/queries"
with_python promql-parser==0.12.0 <<'PY'
import os

import promql_parser

for query in open(os.environ["QUERIES"]).read().splitlines():
    try:
        print(f"promql-parser: {query}: {promql_parser.parse(query)}")
    except ValueError as error:
        print(f"promql-parser: {query}: refused, {error}")
PY
promql_reads v0.315.0 "$work/queries"
expect <<'END'
promql-parser: requests{path=~`/users/\d+`}: refused, unknown escape sequence 'd'
promql-parser: requests{code="500" or code="503"}: requests{ or code="500" or code="503"}
promql-parser: sum by ("http.route") (requests): sum by (http.route)(requests{})
promql-parser: sum by (http.route) (requests): refused, unexpected character after '.': 'r'
Prometheus: requests{path=~`/users/\d+`}: requests{path=~"/users/\\d+"}
Prometheus: requests{code="500" or code="503"}: refused, unexpected identifier "or" in label matching, expected "," or "}"
Prometheus: sum by ("http.route") (requests): sum by ("http.route") (requests)
Prometheus: sum by (http.route) (requests): refused, unexpected character: '.'
END
