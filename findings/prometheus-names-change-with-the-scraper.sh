#!/usr/bin/env bash
# prometheus_client 0.26.0 (PyPI) and Prometheus 3.15.0 (module v0.315.0): the name of a metric depends on who scrapes it.
#
# Guess: a name with dots is either refused by the client or becomes underscores, once and for all.
#
# Really: the client keeps http.server.requests_total and asks the scraper: Prometheus 3 says that it takes UTF-8 and
# stores the dots, in names and labels. Whoever does not say so (Prometheus 2, other agents, curl) gets underscores.
#
# Matters: a MetricTemplate for http_server_requests_total finds nothing after an update of Prometheus, without any change
# of the application, and one with dots finds nothing in a store that is fed by another agent. Keep names to letters,
# digits and underscores, or set metric_name_escaping_scheme: underscores in the scrape job.
#
# Seen:
#   curl: ['http_server_requests_total{code_class="5xx"} 1.0']
#   http_server_requests_total: {}
#   with_dots: {'app': 1.0}
set -euo pipefail
. "$(dirname "$0")/lib/prometheus.sh"
python_packages prometheus_client==0.26.0
with_prometheus v0.315.0 <<'PY'
import urllib.request
from prometheus_bed import Prometheus, check
from prometheus_client import CollectorRegistry, Counter, start_http_server

registry = CollectorRegistry()
Counter("http.server.requests", "Requests", ["code.class"], registry=registry).labels("5xx").inc()
app, _ = start_http_server(0, "127.0.0.1", registry)
with urllib.request.urlopen(f"http://127.0.0.1:{app.server_address[1]}/metrics") as page:
    curl = [line for line in page.read().decode().splitlines() if line.startswith("http_server_requests_total")]

with Prometheus(app=app) as prometheus:
    dots = '{"http.server.requests_total", "code.class"="5xx"}'
    prometheus.until(lambda: prometheus.ask("up == 1"))
    check(curl=(curl, ['http_server_requests_total{code_class="5xx"} 1.0']),
          http_server_requests_total=(prometheus.ask("http_server_requests_total"), {}), with_dots=(prometheus.ask(dots), {"app": 1}))
PY
