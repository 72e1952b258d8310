#!/usr/bin/env bash
# prometheus_client 0.26.0 (Python).
#
# Guess: text_string_to_metric_families() gives samples under the names that stand in the text.
#
# Really: a counter without _total gets it: "http_requests 2" is read as the sample http_requests_total. A gauge or an
# untyped sample of that name stays as it is.
#
# Matters: a proxy, a test or a load tester that reads a page with it and asks for the name on the page finds nothing;
# one that passes metrics on (to a Pushgateway, to a federation) renames them, and a MetricTemplate written against
# the page of the application finds no values.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python prometheus_client==0.26.0 <<'PY'
from prometheus_client.parser import text_string_to_metric_families

for kind in ("counter", "gauge", "untyped"):
    for family in text_string_to_metric_families(f"# TYPE http_requests {kind}\nhttp_requests 2\n"):
        print(kind, [sample.name for sample in family.samples])
PY
expect <<'END'
counter ['http_requests_total']
gauge ['http_requests']
untyped ['http_requests']
END
