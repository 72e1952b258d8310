#!/usr/bin/env bash
# OpenTelemetry exporters for Prometheus: 0.69.0 (Go), 0.66b2 (Python), 0.223.0 (JavaScript).
#
# Guess: a counter with the attribute status = 500 at one place and status = "500" at another has one series in Prometheus,
# with the sum; or the two are kept apart somehow.
#
# Really: they are two series with the same labels. From then on Go answers 500 instead of the whole page, with nothing of
# any other metric; Python and JavaScript list the series twice, of which Prometheus keeps the first it reads.
#
# Matters: the first request that takes the second path, as a time-out whose status is written by hand, ends all metrics of
# a Go service until it is restarted: "no values found", and a good canary is rolled back. In the other languages those
# failures are not counted. Make attributes in one place, and give them one type.
#
# Seen, for 95, 5 and 1 requests: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python opentelemetry-exporter-prometheus==0.66b2 opentelemetry-sdk==1.45.2 <<'PY'
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY

counter = MeterProvider([PrometheusMetricReader()]).get_meter("shop").create_counter("requests")
counter.add(95, {"status": 200})
counter.add(5, {"status": 500})
counter.add(1, {"status": "500"})
for family in REGISTRY.collect():
    for one in family.samples:
        if one.name == "requests_total":
            print("Python: status", one.labels["status"], one.value)
PY
with_node @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/exporter-prometheus@0.223.0 <<'JS'
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";

const reader = new PrometheusExporter({ preventServerStart: true });
const counter = new MeterProvider({ readers: [reader] }).getMeter("shop").createCounter("requests");
counter.add(95, { status: 200 });
counter.add(5, { status: 500 });
counter.add(1, { status: "500" });
const page = new PrometheusSerializer().serialize((await reader.collect()).resourceMetrics);
for (const [, status, value] of page.matchAll(/^requests_total{.*status="(\d+)".*} (\d+)/gm)) console.log("JavaScript: status", status, value);
JS
with_go go.opentelemetry.io/otel/exporters/prometheus@v0.69.0 go.opentelemetry.io/otel/sdk/metric@v1.47.0 <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	api "go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric"
)

func main() {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "another_total"}))
	reader, err := exporter.New(exporter.WithRegisterer(registry))
	if err != nil {
		panic(err)
	}
	counter, err := metric.NewMeterProvider(metric.WithReader(reader)).Meter("shop").Int64Counter("requests")
	if err != nil {
		panic(err)
	}
	page := func(when string) {
		answer := httptest.NewRecorder()
		promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		text := answer.Body.String()
		fmt.Println("Go:", when, answer.Code, "series", strings.Count(text, "\nrequests_total{"), "of another metric", strings.Count(text, "\nanother_total "))
	}
	counter.Add(context.Background(), 95, api.WithAttributes(attribute.Int("status", 200)))
	counter.Add(context.Background(), 5, api.WithAttributes(attribute.Int("status", 500)))
	page("numbers")
	counter.Add(context.Background(), 1, api.WithAttributes(attribute.String("status", "500")))
	page("a number and a text")
}
GO
expect <<'END'
Python: status 200 95
Python: status 500 5
Python: status 500 1
JavaScript: status 200 95
JavaScript: status 500 5
JavaScript: status 500 1
Go: numbers 200 series 2 of another metric 1
Go: a number and a text 500 series 0 of another metric 0
END
