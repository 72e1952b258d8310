#!/usr/bin/env bash
# OpenTelemetry SDKs: @opentelemetry/sdk-metrics 2.12.1 (JavaScript), go.opentelemetry.io/otel/sdk/metric 1.47.0 (Go),
# opentelemetry-sdk 1.45.2 (Python).
#
# Guess: a counter with a path and a status keeps counting failures as status 500, however many paths there are.
#
# Really: after about 2000 sets of attributes all new ones are counted in one series with otel.metric.overflow=true
# and no attributes of the service's own, so without a status.
#
# Matters: the success rate by status of a busy service (paths with ids) does not see failures on paths that came
# late: a canary that fails on all of them shows 100 %. Keep ids out of attributes, or watch
# otel_metric_overflow="true".
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/exporter-prometheus@0.223.0 @opentelemetry/api@1.9.0 <<'JS'
import prometheus from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";

const reader = new prometheus.PrometheusExporter({ preventServerStart: true });
const counter = new MeterProvider({ readers: [reader] }).getMeter("shop").createCounter("requests");
for (let i = 0; i < 2500; i++) counter.add(1, { path: `/${i}`, status: i < 2100 ? 200 : 500 });
const points = (await reader.collect()).resourceMetrics.scopeMetrics[0].metrics[0].dataPoints;
const sum = (chosen) => chosen.reduce((total, point) => total + point.value, 0);
console.log("JavaScript: failures", sum(points.filter((p) => p.attributes.status === 500)),
  "overflow", sum(points.filter((p) => p.attributes["otel.metric.overflow"])), "all", sum(points));
JS
with_go go.opentelemetry.io/otel/sdk/metric@v1.47.0 <<'GO'
package main

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func main() {
	reader, ctx := sdk.NewManualReader(), context.Background()
	counter, _ := sdk.NewMeterProvider(sdk.WithReader(reader)).Meter("shop").Int64Counter("requests")
	for i := range 2500 {
		status := 200
		if i >= 2100 {
			status = 500
		}
		counter.Add(ctx, 1, metric.WithAttributes(attribute.String("path", fmt.Sprint("/", i)), attribute.Int("status", status)))
	}
	var seen metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &seen); err != nil {
		panic(err)
	}
	var failures, overflow, all int64
	for _, point := range seen.ScopeMetrics[0].Metrics[0].Data.(metricdata.Sum[int64]).DataPoints {
		all += point.Value
		if status, _ := point.Attributes.Value("status"); status.AsInt64() == 500 {
			failures += point.Value
		}
		if point.Attributes.HasValue("otel.metric.overflow") {
			overflow += point.Value
		}
	}
	fmt.Println("Go: failures", failures, "overflow", overflow, "all", all)
}
GO
with_python opentelemetry-sdk==1.45.2 <<'PY'
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

reader = InMemoryMetricReader()
counter = MeterProvider(metric_readers=[reader]).get_meter("shop").create_counter("requests")
for i in range(2500):
    counter.add(1, {"path": f"/{i}", "status": 200 if i < 2100 else 500})
points = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
print("Python: failures", sum(p.value for p in points if p.attributes.get("status") == 500),
      "overflow", sum(p.value for p in points if p.attributes.get("otel.metric.overflow")), "all", sum(p.value for p in points))
PY
expect <<'END'
JavaScript: failures 0 overflow 501 all 2500
Go: failures 0 overflow 501 all 2500
Python: failures 0 overflow 500 all 2500
END
