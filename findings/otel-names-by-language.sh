#!/usr/bin/env bash
# OpenTelemetry's Prometheus exporters: go.opentelemetry.io/otel/exporters/prometheus 0.69.0 (Go),
# opentelemetry-exporter-prometheus 0.66b2 (Python), @opentelemetry/exporter-prometheus 0.223.0 (JavaScript).
#
# Guess: the same instrument has the same name in Prometheus, whatever the service is written in.
#
# Really: Go writes units into names and turns "1" into _ratio and "%" into _percent, Python writes them but for "1",
# and JavaScript writes none.
#
# Matters: one MetricTemplate for services in three languages finds no values for some, which Serin counts as a failed
# check. A rewrite of a service in another language renames its metrics: the canary has no data under the old query.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go go.opentelemetry.io/otel/exporters/prometheus@v0.69.0 go.opentelemetry.io/otel/sdk/metric@v1.47.0 <<'GO'
package main

import (
	"context"
	"fmt"
	"strings"

	prom "github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

func main() {
	registry := prom.NewRegistry()
	reader, err := prometheus.New(prometheus.WithRegisterer(registry))
	if err != nil {
		panic(err)
	}
	meter := sdk.NewMeterProvider(sdk.WithReader(reader)).Meter("shop")
	ctx := context.Background()
	for _, unit := range []string{"1", "%", "ms"} {
		gauge, _ := meter.Int64Gauge("depth."+map[string]string{"1": "a", "%": "b", "ms": "c"}[unit], metric.WithUnit(unit))
		gauge.Record(ctx, 3)
	}
	families, _ := registry.Gather()
	for _, family := range families {
		if strings.HasPrefix(family.GetName(), "depth") {
			fmt.Println("Go:", family.GetName())
		}
	}
}
GO
with_python opentelemetry-sdk==1.45.2 opentelemetry-exporter-prometheus==0.66b2 prometheus_client==0.26.0 <<'PY'
import prometheus_client
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider

meter = MeterProvider(metric_readers=[PrometheusMetricReader()]).get_meter("shop")
for name, unit in (("depth.a", "1"), ("depth.b", "%"), ("depth.c", "ms")):
    meter.create_gauge(name, unit=unit).set(3)
for family in prometheus_client.REGISTRY.collect():
    if family.name.startswith("depth"):
        print("Python:", family.name)
PY
with_node @opentelemetry/exporter-prometheus@0.223.0 @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/api@1.9.0 <<'JS'
import prometheus from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";

const reader = new prometheus.PrometheusExporter({ preventServerStart: true });
const meter = new MeterProvider({ readers: [reader] }).getMeter("shop");
for (const [name, unit] of [["depth.a", "1"], ["depth.b", "%"], ["depth.c", "ms"]]) meter.createGauge(name, { unit }).record(3);
const { resourceMetrics } = await reader.collect();
for (const line of new prometheus.PrometheusSerializer().serialize(resourceMetrics).split("\n"))
  if (line.startsWith("# TYPE depth")) console.log("JavaScript:", line.split(" ")[2]);
JS
expect <<'END'
Go: depth_a_ratio
Go: depth_b_percent
Go: depth_c_milliseconds
Python: depth_a
Python: depth_b_percent
Python: depth_c_milliseconds
JavaScript: depth_a
JavaScript: depth_b
JavaScript: depth_c
END
