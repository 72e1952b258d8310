#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0): a page of metrics without a Content-Type, or with another one, is not scraped at all.
#
# Guess: the text format is assumed, as Prometheus 2 did with anything it did not know.
#
# Really: the scrape fails, `up` is 0, and none of the metrics is there. `fallback_scrape_protocol: PrometheusText0.0.4`
# in the scrape job brings them back.
#
# Matters: a canary with a hand-written /metrics, or behind a gateway that changes the header (text/html), has no metrics:
# its checks say "no values found" although requests are served, and a good release is rolled back.
#
# Seen:
#   up: {'html': 0.0, 'missing': 0.0, 'text': 1.0}
#   requests_total: {'text': 1.0}
set -euo pipefail
. "$(dirname "$0")/lib/prometheus.sh"
with_prometheus v0.315.0 <<'PY'
from prometheus_bed import TEXT, Prometheus, Target, check

page = lambda: "requests_total 1\n"
types = {"text": TEXT, "html": "text/html", "missing": None}
with Prometheus(**{name: Target(page, content_type) for name, content_type in types.items()}) as prometheus:
    prometheus.until(lambda: len(prometheus.ask("count_over_time(up[1m]) >= 2")) == 3)
    check(up=(dict(sorted(prometheus.ask("up").items())), {"html": 0, "missing": 0, "text": 1}),
          requests_total=(prometheus.ask("requests_total"), {"text": 1}))
PY
