#!/usr/bin/env bash
# opentelemetry-instrumentation-flask and -fastapi 0.66b1 (Python), @opentelemetry/instrumentation-http 0.223.0
# (JavaScript) and contrib/instrumentation/net/http/otelhttp 0.72.0 (Go), with their SDKs 1.45.1, 2.12.1 and 1.47.0.
#
# Guess: by now all of them measure http.server.request.duration in seconds, with http.response.status_code, as the
# conventions have it since they are stable.
#
# Really: Go and JavaScript do. Python still measures http.server.duration in milliseconds, with http.status_code, and
# goes on to, without a warning, until OTEL_SEMCONV_STABILITY_OPT_IN is http.
#
# Matters: a MetricTemplate that works for services in Go has no values for those in Python, and the other way round, and
# a limit of 0.5 is half a millisecond. A release that is a rewrite has neither durations nor a status. Set the variable
# to http/dup for a time, which sends both.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/python.py" <<'PY'
from flask import Flask
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from starlette.testclient import TestClient
from fastapi import FastAPI

for name in "Flask", "FastAPI":
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    if name == "Flask":
        app = Flask("shop")
        FlaskInstrumentor().instrument_app(app, meter_provider=provider)
        app.add_url_rule("/", view_func=lambda: "")
        app.test_client().get("/")
    else:
        app = FastAPI()
        app.get("/")(lambda: "")
        FastAPIInstrumentor.instrument_app(app, meter_provider=provider)
        TestClient(app).get("/")
    for scope in reader.get_metrics_data().resource_metrics[0].scope_metrics:
        for metric in scope.metrics:
            if "duration" in metric.name:
                status = [key for key in metric.data.data_points[0].attributes if "status" in key]
                print(name, metric.name, metric.unit, *status)
PY
packages="opentelemetry-instrumentation-flask==0.66b1 opentelemetry-instrumentation-fastapi==0.66b1 opentelemetry-sdk==1.45.1
  flask==3.1.3 fastapi==0.165.0 httpx==0.28.1"
# shellcheck disable=SC2086 # a list
with_python $packages <"$work/python.py" 2>"$work/warnings" || { cat "$work/warnings" >&2; exit 1; }
echo "with OTEL_SEMCONV_STABILITY_OPT_IN=http:" | tee -a "$work/seen"
OTEL_SEMCONV_STABILITY_OPT_IN=http PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$work/python" python3 "$work/python.py" 2>"$work/warnings" |
  tee -a "$work/seen"
with_node @opentelemetry/instrumentation-http@0.223.0 @opentelemetry/instrumentation@0.223.0 @opentelemetry/sdk-metrics@2.12.1 <<'JS'
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { registerInstrumentations } = require("@opentelemetry/instrumentation");
const { HttpInstrumentation } = require("@opentelemetry/instrumentation-http");
const { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } =
  require("@opentelemetry/sdk-metrics");

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e6 });
registerInstrumentations({
  meterProvider: new MeterProvider({ readers: [reader] }),
  instrumentations: [new HttpInstrumentation()],
});
const http = require("node:http");
const server = http.createServer((request, response) => response.end());
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}/`;
await new Promise((resolve) => http.get(url, (answer) => answer.resume().on("end", resolve)));
await new Promise((resolve) => setTimeout(resolve, 200));
await reader.forceFlush();
for (const { descriptor, dataPoints } of exporter.getMetrics()[0].scopeMetrics[0].metrics) {
  if (!descriptor.name.startsWith("http.server")) continue;
  const status = Object.keys(dataPoints[0].attributes).filter((key) => key.includes("status"));
  console.log("Node's http", descriptor.name, descriptor.unit, ...status);
}
process.exit();
JS
with_go go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp@v0.72.0 go.opentelemetry.io/otel/sdk/metric@v1.47.0 <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func main() {
	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(otelhttp.NewHandler(handler, "shop", otelhttp.WithMeterProvider(provider)))
	response, err := http.Get(server.URL)
	if err != nil {
		panic(err)
	}
	response.Body.Close()
	server.Close()
	var read metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &read); err != nil {
		panic(err)
	}
	for _, one := range read.ScopeMetrics[0].Metrics {
		durations, ok := one.Data.(metricdata.Histogram[float64])
		if !ok {
			continue
		}
		fmt.Print("Go ", one.Name, " ", one.Unit)
		for _, attribute := range durations.DataPoints[0].Attributes.ToSlice() {
			if strings.Contains(string(attribute.Key), "status") {
				fmt.Print(" ", attribute.Key)
			}
		}
		fmt.Println()
	}
}
GO
expect <<'END'
Flask http.server.duration ms http.status_code
FastAPI http.server.duration ms http.status_code
with OTEL_SEMCONV_STABILITY_OPT_IN=http:
Flask http.server.request.duration s http.response.status_code
FastAPI http.server.request.duration s http.response.status_code
Node's http http.server.request.duration s http.response.status_code
Go http.server.request.duration s http.response.status_code
END
