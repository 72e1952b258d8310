#!/usr/bin/env bash
# prometheus_client 0.26.0 (Python), client_golang 1.25.0, Micrometer 1.17.2 (Java), against prom-client 15.1.3 (JavaScript).
#
# Guess: a Summary of a client of Prometheus has quantiles.
#
# Really: without more it has a sum and a count in Go and Java, and in Python there are no quantiles at all. In JavaScript there
# are seven.
#
# Matters: a check such as request_seconds{quantile="0.99"} of a dashboard for a service in Node finds nothing for the one in Go
# or Python, which is no data, and a mean of sum by count is all there is. Use a Histogram for what is checked.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python prometheus_client==0.26.0 <<'PY'
from prometheus_client import CollectorRegistry, Summary, generate_latest

registry = CollectorRegistry()
Summary("request_seconds", "Durations", registry=registry).observe(0.1)
print("Python:", *(line for line in generate_latest(registry).decode().splitlines() if "created" not in line and line[0] != "#"))
PY
with_go github.com/prometheus/client_golang@v1.25.0 <<'GO'
package main

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

func main() {
	registry := prometheus.NewRegistry()
	summary := prometheus.NewSummary(prometheus.SummaryOpts{Name: "request_seconds", Help: "Durations"})
	registry.MustRegister(summary)
	summary.Observe(0.1)
	families, err := registry.Gather()
	if err != nil {
		panic(err)
	}
	seen := families[0].Metric[0].Summary
	fmt.Println("Go: count", seen.GetSampleCount(), "sum", seen.GetSampleSum(), "quantiles", len(seen.Quantile))
}
GO
with_java io.micrometer:micrometer-registry-prometheus:1.17.2 <<'JAVA'
import io.micrometer.prometheusmetrics.*;

class Main {
  public static void main(String[] arguments) {
    var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    registry.summary("request.seconds").record(0.1);
    registry.scrape().lines().filter(line -> !line.startsWith("#")).forEach(line -> System.out.println("Micrometer: " + line));
  }
}
JAVA
with_node prom-client@15.1.3 <<'JS'
import prometheus from "prom-client";

new prometheus.Summary({ name: "request_seconds", help: "Durations" }).observe(0.1);
const page = await prometheus.register.metrics();
for (const line of page.trim().split("\n").filter((line) => !line.startsWith("#"))) console.log("prom-client:", line);
JS
expect <<'END'
Python: request_seconds_count 1.0 request_seconds_sum 0.1
Go: count 1 sum 0.1 quantiles 0
Micrometer: request_seconds_count 1
Micrometer: request_seconds_sum 0.1
Micrometer: request_seconds_max 0.1
prom-client: request_seconds{quantile="0.01"} 0.1
prom-client: request_seconds{quantile="0.05"} 0.1
prom-client: request_seconds{quantile="0.5"} 0.1
prom-client: request_seconds{quantile="0.9"} 0.1
prom-client: request_seconds{quantile="0.95"} 0.1
prom-client: request_seconds{quantile="0.99"} 0.1
prom-client: request_seconds{quantile="0.999"} 0.1
prom-client: request_seconds_sum 0.1
prom-client: request_seconds_count 1
END
