#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0): a metric on an indented line gets a name that begins with blanks.
#
# Guess: leading blanks are ignored, as the description of the text format says.
#
# Really: the scrape succeeds, and the series is stored as `  requests_total`, two blanks included: any UTF-8 is a name by
# now. A query for requests_total finds nothing; {"  requests_total"} does.
#
# Matters: metrics of a shell script or a template with indentation look right in a browser and in `up`, and the check says
# "no values found". Look at the list of names (/api/v1/label/__name__/values), in quotes.
#
# Seen:
#   up: {'app': 1.0}
#   requests_total: {}
#   with_blanks: {'app': 7.0}
#   first_line: {'app': 5.0}
set -euo pipefail
. "$(dirname "$0")/lib/prometheus.sh"
with_prometheus v0.315.0 <<'PY'
from prometheus_bed import Prometheus, Target, check

with Prometheus(app=Target(lambda: "errors_total 5\n  requests_total 7\n")) as prometheus:
    prometheus.until(lambda: prometheus.ask("up == 1"))
    check(up=(prometheus.ask("up"), {"app": 1}), requests_total=(prometheus.ask("requests_total"), {}),
          with_blanks=(prometheus.ask('{"  requests_total"}'), {"app": 7}), first_line=(prometheus.ask("errors_total"), {"app": 5}))
PY
