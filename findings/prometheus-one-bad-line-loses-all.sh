#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0): one line that does not parse loses all metrics of the target.
#
# Guess: the line is skipped, and the rest of the page is stored.
#
# Really: the whole scrape fails and `up` is 0. It takes one unescaped quote in a label, one value that is no number, or
# lines that end in CR LF.
#
# Matters: a release that puts a new text into a label (a user agent, an error message) without escaping it loses its
# success rate as well: "no values found", and a canary that serves everybody well is rolled back. It fails safe, with the
# wrong cause. Alert on up == 0 of pods that are ready.
#
# Seen:
#   up: {'bad_value': 0.0, 'carriage_return': 0.0, 'fine': 1.0, 'quote': 0.0}
#   requests_total: {'fine': 7.0}
set -euo pipefail
. "$(dirname "$0")/lib/prometheus.sh"
with_prometheus v0.315.0 <<'PY'
from prometheus_bed import Prometheus, Target, check

pages = {"fine": 'requests_total 7\nerrors_total{why="none"} 0\n',
         "quote": 'requests_total 7\nerrors_total{why="said "no""} 1\n',
         "bad_value": "requests_total 7\nerrors_total none\n",
         "carriage_return": "requests_total 7\r\nerrors_total 1\r\n"}
with Prometheus(**{name: Target(lambda page=page: page) for name, page in pages.items()}) as prometheus:
    prometheus.until(lambda: len(prometheus.ask("count_over_time(up[1m]) >= 2")) == len(pages))
    check(up=(dict(sorted(prometheus.ask("up").items())), {"bad_value": 0, "carriage_return": 0, "fine": 1, "quote": 0}),
          requests_total=(prometheus.ask("requests_total"), {"fine": 7}))
PY
