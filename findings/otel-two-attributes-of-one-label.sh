#!/usr/bin/env bash
# Exporters for Prometheus of OpenTelemetry: @opentelemetry/exporter-prometheus 0.223.0 (JavaScript) and
# opentelemetry-exporter-prometheus 0.66b2 (Python), against exporters/prometheus 0.69.0 (Go); expfmt of prometheus/common 0.74.0.
#
# Guess: two attributes whose names differ in a dot alone, http.route and http_route, are one label with one value, or with both.
#
# Really: Go joins the values, "/a;/b", as the standard asks. Python keeps the later one. JavaScript writes the label twice, and
# expfmt refuses the whole page because of that one line. So does Prometheus: `up` is 0 (tried by hand with 2.42 of Debian 12).
#
# Matters: a new release whose middleware and handler both set the route loses all of its metrics in JavaScript, which is no
# data for each check; in Python and Go the series has another label than that of the primary. Set one of them.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export PAGE="$work/page"
with_node @opentelemetry/api@1.9.1 @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/exporter-prometheus@0.223.0 <<'JS'
import fs from "node:fs";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";

const exporter = new PrometheusExporter({ preventServerStart: true });
const meter = new MeterProvider({ readers: [exporter] }).getMeter("shop");
meter.createCounter("requests").add(1, { "http.route": "/a", http_route: "/b" });
meter.createCounter("failures").add(1);
const page = new PrometheusSerializer("", false).serialize((await exporter.collect()).resourceMetrics);
fs.writeFileSync(process.env.PAGE, page);
console.log("JavaScript:", page.split("\n").filter((line) => /^(requests|failures)/.test(line)).join(" | "));
JS
with_python opentelemetry-sdk==1.45.2 opentelemetry-exporter-prometheus==0.66b2 <<'PY'
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import generate_latest

meter = MeterProvider(metric_readers=[PrometheusMetricReader()]).get_meter("shop")
meter.create_counter("requests").add(1, {"http.route": "/a", "http_route": "/b"})
print("Python:", *(line for line in generate_latest().decode().splitlines() if line.startswith("requests")))
PY
with_go go.opentelemetry.io/otel@v1.47.0 go.opentelemetry.io/otel/sdk/metric@v1.47.0 go.opentelemetry.io/otel/exporters/prometheus@v0.69.0 github.com/prometheus/common@v0.74.0 <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

func main() {
	registry := client.NewRegistry()
	exporter, err := prometheus.New(prometheus.WithRegisterer(registry), prometheus.WithoutScopeInfo(), prometheus.WithoutTargetInfo())
	if err != nil {
		panic(err)
	}
	counter, err := sdk.NewMeterProvider(sdk.WithReader(exporter)).Meter("shop").Int64Counter("requests")
	if err != nil {
		panic(err)
	}
	both := []attribute.KeyValue{attribute.String("http.route", "/a"), attribute.String("http_route", "/b")}
	counter.Add(context.Background(), 1, metric.WithAttributes(both...))
	families, err := registry.Gather()
	if err != nil {
		panic(err)
	}
	for _, label := range families[0].Metric[0].Label {
		fmt.Printf("Go: %s=%q\n", label.GetName(), label.GetValue())
	}
	page, err := os.Open(os.Getenv("PAGE"))
	if err != nil {
		panic(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	_, err = parser.TextToMetricFamilies(page)
	fmt.Println("expfmt of JavaScript's page:", err)
}
GO
expect <<'END'
JavaScript: requests_total{http_route="/a",http_route="/b",otel_scope_name="shop"} 1 | failures_total{otel_scope_name="shop"} 1
Python: requests_total{http_route="/b",otel_scope_name="shop",otel_scope_schema_url="",otel_scope_version=""} 1.0
Go: http_route="/a;/b"
expfmt of JavaScript's page: text format parsing error in line 6: duplicate label names for metric "requests_total"
END
