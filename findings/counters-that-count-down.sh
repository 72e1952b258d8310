#!/usr/bin/env bash
# go.opentelemetry.io/otel/sdk/metric 1.47.0 (Go), against opentelemetry-sdk 1.45.2 and prometheus_client 0.26.0 (Python),
# @opentelemetry/sdk-metrics 2.12.1 and prom-client 15.1.3 (JavaScript), client_golang 1.25.0, Micrometer 1.17.2 (Java).
#
# Guess: a negative amount of a counter is refused or ignored, whatever the library is.
#
# Really: OpenTelemetry for Go takes it. A counter of 10 and -3 is 7, and exposed as a counter. Python and JavaScript ignore it with
# a warning, Micrometer without a word, and the clients of Prometheus refuse it.
#
# Matters: code that corrects a count, or adds a difference of two clocks, works without an error. Prometheus takes the lower
# value for a restart and adds all 7 to the rate: failures of long ago are a burst of now, and the canary is rolled back.
# Use an UpDownCounter.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go go.opentelemetry.io/otel@v1.47.0 go.opentelemetry.io/otel/sdk/metric@v1.47.0 go.opentelemetry.io/otel/exporters/prometheus@v0.69.0 github.com/prometheus/client_golang@v1.25.0 <<'GO'
package main

import (
	"context"
	"fmt"

	client "github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/exporters/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

func main() {
	registry := client.NewRegistry()
	exporter, err := prometheus.New(prometheus.WithRegisterer(registry), prometheus.WithoutScopeInfo(), prometheus.WithoutTargetInfo())
	if err != nil {
		panic(err)
	}
	counter, err := sdk.NewMeterProvider(sdk.WithReader(exporter)).Meter("shop").Int64Counter("failures")
	if err != nil {
		panic(err)
	}
	counter.Add(context.Background(), 10)
	counter.Add(context.Background(), -3)
	families, err := registry.Gather()
	if err != nil {
		panic(err)
	}
	fmt.Println("OpenTelemetry, Go:", families[0].GetType(), families[0].Metric[0].Counter.GetValue())
	defer func() { fmt.Println("client_golang:", recover()) }()
	client.NewCounter(client.CounterOpts{Name: "failures"}).Add(-3)
}
GO
with_python opentelemetry-sdk==1.45.2 prometheus_client==0.26.0 <<'PY'
import logging

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import Counter

logging.disable()
reader = InMemoryMetricReader()
counter = MeterProvider(metric_readers=[reader]).get_meter("shop").create_counter("failures")
counter.add(10)
counter.add(-3)
point = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics[0].data.data_points[0]
print("OpenTelemetry, Python:", point.value)
try:
    Counter("failures", "Failures").inc(-3)
except ValueError as error:
    print("prometheus_client:", error)
PY
with_node @opentelemetry/api@1.9.1 @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/exporter-prometheus@0.223.0 prom-client@15.1.3 <<'JS'
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import prometheus from "prom-client";

const exporter = new PrometheusExporter({ preventServerStart: true });
const counter = new MeterProvider({ readers: [exporter] }).getMeter("shop").createCounter("failures");
counter.add(10);
counter.add(-3);
const { resourceMetrics } = await exporter.collect();
console.log("OpenTelemetry, JavaScript:", resourceMetrics.scopeMetrics[0].metrics[0].dataPoints[0].value);
try {
  new prometheus.Counter({ name: "failures", help: "Failures" }).inc(-3);
} catch (error) {
  console.log("prom-client:", error.message);
}
JS
with_java io.micrometer:micrometer-registry-prometheus:1.17.2 <<'JAVA'
import io.micrometer.prometheusmetrics.*;

class Main {
  public static void main(String[] arguments) {
    var counter = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT).counter("failures");
    counter.increment(10);
    try {
      counter.increment(-3);
      System.out.println("Micrometer: " + counter.count());
    } catch (RuntimeException error) {
      System.out.println("Micrometer: " + error.getMessage());
    }
  }
}
JAVA
expect <<'END'
OpenTelemetry, Go: COUNTER 7
client_golang: counter cannot decrease in value
OpenTelemetry, Python: 10
prometheus_client: Counters can only be incremented by non-negative amounts.
OpenTelemetry, JavaScript: 10
prom-client: It is not possible to decrease a counter
Micrometer: 10.0
END
