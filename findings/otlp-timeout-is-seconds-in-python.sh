#!/usr/bin/env bash
# @opentelemetry/exporter-metrics-otlp-http 0.223.0 (JavaScript), opentelemetry-exporter-otlp-proto-http 1.45.2 (Python) and
# otlpmetrichttp 1.47.0 (Go).
#
# Guess: OTEL_EXPORTER_OTLP_TIMEOUT is one unit in all languages, since one specification names it.
#
# Really: it is milliseconds in JavaScript and Go, as the specification says, and seconds in Python. With 2 an export to a
# collector that takes a second fails in JavaScript and Go, and succeeds in Python; with 500 it still succeeds there.
#
# Matters: 10000 in the environment of all Deployments is 10 s, and 2 hours and 46 minutes for those in Python, whose export hangs
# with a collector that does. 10 is 10 ms for the others: a release in Go has no metrics, and its canary fails with no data.
# Set the time-out in the code, or the variable for each language.
#
# Seen, against a collector that answers after a second, without retries in Go: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export COLLECTOR="$work/collector.py" ADDRESS="$work/address"
cat >"$COLLECTOR" <<'PY'
import http.server, os, time


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        time.sleep(1)
        try:
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()
        except OSError:
            pass

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
with open(os.environ["ADDRESS"] + ".new", "w") as file:
    file.write(f"http://127.0.0.1:{server.server_address[1]}")
os.rename(os.environ["ADDRESS"] + ".new", os.environ["ADDRESS"])
server.serve_forever()
PY
python3 "$COLLECTOR" 2>"$work/collector.log" &
collector=$!
trap 'kill $collector 2>/dev/null; rm -rf "$work"' EXIT
until [ -f "$ADDRESS" ]; do sleep 0.1; done
OTEL_EXPORTER_OTLP_ENDPOINT=$(cat "$ADDRESS")
export OTEL_EXPORTER_OTLP_ENDPOINT
with_node @opentelemetry/exporter-metrics-otlp-http@0.223.0 @opentelemetry/sdk-metrics@2.12.1 <<'JS'
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";

for (const value of ["2", "500", "10000"]) {
  process.env.OTEL_EXPORTER_OTLP_TIMEOUT = value;
  const exporter = new OTLPMetricExporter();
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e8 });
  new MeterProvider({ readers: [reader] }).getMeter("app").createCounter("requests").add(1);
  const { resourceMetrics } = await reader.collect();
  const { code } = await new Promise((resolve) => exporter.export(resourceMetrics, resolve));
  console.log(`JavaScript, ${value}:`, code === 0 ? "sent" : "failed");
}
process.exit();
JS
with_python opentelemetry-exporter-otlp-proto-http==1.45.2 opentelemetry-sdk==1.45.2 <<'PY'
import logging
import os

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult

logging.disable(logging.CRITICAL)
reader = InMemoryMetricReader()
MeterProvider([reader]).get_meter("app").create_counter("requests").add(1)
data = reader.get_metrics_data()
for value in ("0.2", "2", "500"):
    os.environ["OTEL_EXPORTER_OTLP_TIMEOUT"] = value
    sent = OTLPMetricExporter().export(data) is MetricExportResult.SUCCESS
    print(f"Python, {value}:", "sent" if sent else "failed")
PY
with_go go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp@v1.47.0 go.opentelemetry.io/otel/sdk/metric@v1.47.0 <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func main() {
	ctx := context.Background()
	reader := metric.NewManualReader()
	counter, _ := metric.NewMeterProvider(metric.WithReader(reader)).Meter("app").Int64Counter("requests")
	counter.Add(ctx, 1)
	var data metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &data); err != nil {
		panic(err)
	}
	for _, value := range []string{"2", "500", "10000"} {
		os.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", value)
		exporter, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: false}))
		if err != nil {
			panic(err)
		}
		said := "sent"
		if exporter.Export(ctx, &data) != nil {
			said = "failed"
		}
		fmt.Printf("Go, %s: %s\n", value, said)
	}
}
GO
expect <<'END'
JavaScript, 2: failed
JavaScript, 500: failed
JavaScript, 10000: sent
Python, 0.2: failed
Python, 2: sent
Python, 500: sent
Go, 2: failed
Go, 500: failed
Go, 10000: sent
END
