#!/usr/bin/env bash
# opentelemetry-exporter-prometheus 0.66b2 (Python) and @opentelemetry/exporter-prometheus 0.223.0 with sdk-metrics 2.12.1
# (JavaScript).
#
# Guess: two counters of one process have the labels that were given to them, so that errors_total / requests_total pairs
# them by `code`.
#
# Really: each series has otel_scope_name, otel_scope_version and otel_scope_schema_url besides, from the meter that made
# it. Two counters of two meters have no pair, and a library's new version is another series.
#
# Matters: a MetricTemplate that divides the errors of one library by the requests of another finds nothing, "no values
# found", once a service changes from a client of Prometheus to OpenTelemetry; and one that divides without a sum breaks
# when a release raises a library. Add up by the labels that count, sum by (code) (…), on both sides.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python opentelemetry-exporter-prometheus==0.66b2 <<'PY'
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import generate_latest

provider = MeterProvider([PrometheusMetricReader()])
provider.get_meter("http", "1.2.0").create_counter("requests").add(100, {"code": "500"})
provider.get_meter("db").create_counter("errors").add(1, {"code": "500"})
for line in generate_latest().decode().splitlines():
    if line.startswith(("requests_total", "errors_total")):
        print("Python:", line)
PY
with_node @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/exporter-prometheus@0.223.0 @opentelemetry/api@1.9.1 <<'JS'
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";

const exporter = new PrometheusExporter({ preventServerStart: true });
const provider = new MeterProvider({ readers: [exporter] });
provider.getMeter("http", "1.2.0").createCounter("requests").add(100, { code: "500" });
provider.getMeter("db").createCounter("errors").add(1, { code: "500" });
const { resourceMetrics } = await exporter.collect();
for (const line of new PrometheusSerializer().serialize(resourceMetrics).split("\n")) {
  if (/^(requests|errors)_total/.test(line)) console.log("JavaScript:", line.replace(/ \d{13}$/, ""));
}
JS
expect <<'END'
Python: requests_total{code="500",otel_scope_name="http",otel_scope_schema_url="",otel_scope_version="1.2.0"} 100.0
Python: errors_total{code="500",otel_scope_name="db",otel_scope_schema_url="",otel_scope_version=""} 1.0
JavaScript: requests_total{code="500",otel_scope_name="http",otel_scope_version="1.2.0"} 100
JavaScript: errors_total{code="500",otel_scope_name="db"} 1
END
