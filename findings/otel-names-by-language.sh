#!/usr/bin/env bash
# One OpenTelemetry metric has three names in Prometheus, by the exporter: opentelemetry-exporter-prometheus 0.66b2
# (PyPI), @opentelemetry/exporter-prometheus 0.223.0 (npm), and github.com/prometheus/otlptranslator v1.0.0 (what
# Prometheus itself does with OTLP).
#
# Guess: the translation is specified, so http.server.request.duration in seconds is
# http_server_request_duration_seconds wherever it comes from.
#
# Really: JavaScript adds no unit. Python adds it, but no `_ratio` for the unit 1. Prometheus adds both, and moves a
# "total" from the middle of a counter's name to its end.
#
# Matters: a MetricTemplate that works for a service in one language finds nothing for the next; and a service that
# moves from being scraped to OTLP changes its names. A query by {__name__=~"http_server_request_duration(_seconds)?_count"}
# finds both. Look at the names before a template is shared.
#
# Seen:
#   metric                        unit  python                                 javascript                      prometheus
#   http.server.request.duration  s     http_server_request_duration_seconds   http_server_request_duration    http_server_request_duration_seconds
#   http.total.errors             1     http_total_errors_total                http_total_errors_total         http_errors_total
#   queue.load                    1     queue_load                             queue_load                      queue_load_ratio
#   cpu.usage                     %     cpu_usage_percent                      cpu_usage                       cpu_usage_percent
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"

python_packages \
  opentelemetry-exporter-prometheus==0.66b2 opentelemetry-sdk==1.45.2 prometheus_client==0.26.0
PYTHONPATH="$work/python" python3 - >"$work/1" <<'PY'
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY

meter = MeterProvider(metric_readers=[PrometheusMetricReader()]).get_meter("app")
meter.create_histogram("http.server.request.duration", unit="s").record(0.1)
meter.create_counter("http.total.errors", unit="1").add(1)
meter.create_gauge("queue.load", unit="1").set(1)
meter.create_gauge("cpu.usage", unit="%").set(1)
names = [sample.name for family in REGISTRY.collect() for sample in family.samples]
for part in ("duration", "errors", "load", "usage"):
    print(next(name.removesuffix("_bucket") for name in names if part in name))
PY

node_packages \
  @opentelemetry/exporter-prometheus@0.223.0 @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/api@1.9.1
NODE_PATH="$work/node_modules" node - >"$work/2" <<'JS'
const {PrometheusExporter} = require('@opentelemetry/exporter-prometheus');
const {MeterProvider} = require('@opentelemetry/sdk-metrics');
const exporter = new PrometheusExporter({preventServerStart: true});
const meter = new MeterProvider({readers: [exporter]}).getMeter('app');
meter.createHistogram('http.server.request.duration', {unit: 's'}).record(0.1);
meter.createCounter('http.total.errors', {unit: '1'}).add(1);
meter.createGauge('queue.load', {unit: '1'}).record(1);
meter.createGauge('cpu.usage', {unit: '%'}).record(1);
exporter.getMetricsRequestHandler({}, {setHeader() {}, end(text) {
  const names = text.split('\n').map(line => line.split('{')[0]);
  for (const part of ['duration', 'errors', 'load', 'usage']) {
    console.log(names.find(name => name.includes(part) && !name.startsWith('#')).replace(/_(count|bucket)$/, ''));
  }
}});
JS

mkdir "$work/go"
cat >"$work/go/main.go" <<'GO'
package main

import (
	"fmt"

	otlp "github.com/prometheus/otlptranslator"
)

func main() {
	namer := otlp.NewMetricNamer("", otlp.UnderscoreEscapingWithSuffixes)
	for _, metric := range []otlp.Metric{
		{Name: "http.server.request.duration", Unit: "s", Type: otlp.MetricTypeHistogram},
		{Name: "http.total.errors", Unit: "1", Type: otlp.MetricTypeMonotonicCounter},
		{Name: "queue.load", Unit: "1", Type: otlp.MetricTypeGauge},
		{Name: "cpu.usage", Unit: "%", Type: otlp.MetricTypeGauge},
	} {
		name, err := namer.Build(metric)
		if err != nil {
			panic(err)
		}
		fmt.Println(name)
	}
}
GO
(cd "$work/go" && go mod init names && go get github.com/prometheus/otlptranslator@v1.0.0) 2>/dev/null
(cd "$work/go" && go run .) >"$work/3"

paste -d' ' "$work/1" "$work/2" "$work/3" | column -t | tee "$work/seen"
diff "$work/seen" - <<'TXT'
http_server_request_duration_seconds  http_server_request_duration  http_server_request_duration_seconds
http_total_errors_total               http_total_errors_total       http_errors_total
queue_load                            queue_load                    queue_load_ratio
cpu_usage_percent                     cpu_usage                     cpu_usage_percent
TXT
