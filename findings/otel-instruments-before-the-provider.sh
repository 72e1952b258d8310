#!/usr/bin/env bash
# @opentelemetry/api 1.9.1 with @opentelemetry/sdk-metrics 2.12.1 and exporter-prometheus 0.223.0 (JavaScript), against
# opentelemetry-sdk 1.45.2 (Python).
#
# Guess: a counter that is made when a module is loaded, before setGlobalMeterProvider(), counts from then on as in
# Python, where the API hands it on to the provider.
#
# Really: in JavaScript it counts nothing, for ever and without a word, and so does each counter of a meter that was taken
# before. Tracers are handed on there, meters are not.
#
# Matters: whether a failure counter exists depends on the order of imports: after a harmless change a canary has no
# errors, or no metrics at all. Set the provider in a file that is loaded first (--import), or make instruments in
# functions.
#
# Seen, the names of the metrics that are exposed: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @opentelemetry/api@1.9.1 @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/exporter-prometheus@0.223.0 <<'JS'
import { metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";

const meter = metrics.getMeter("shop");
const early = meter.createCounter("made_before");
const exporter = new PrometheusExporter({ preventServerStart: true });
console.log("provider set:", metrics.setGlobalMeterProvider(new MeterProvider({ readers: [exporter] })));
early.add(1);
meter.createCounter("meter_before").add(1);
metrics.getMeter("shop").createCounter("made_after").add(1);
const { resourceMetrics } = await exporter.collect();
console.log("JavaScript:", resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics.map((m) => m.descriptor.name)));
JS
with_python opentelemetry-sdk==1.45.2 <<'PY'
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

meter = metrics.get_meter("shop")
early = meter.create_counter("made_before")
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
early.add(1)
meter.create_counter("meter_before").add(1)
metrics.get_meter("shop").create_counter("made_after").add(1)
scopes = reader.get_metrics_data().resource_metrics[0].scope_metrics
print("Python:", [metric.name for scope in scopes for metric in scope.metrics])
PY
expect <<'END'
provider set: true
JavaScript: [ 'made_after' ]
Python: ['made_before', 'meter_before', 'made_after']
END
