#!/usr/bin/env bash
# prometheus_client 0.26.0 (Python), prom-client 15.1.3 (JavaScript), client_golang 1.25.0 (Go), against Micrometer 1.17.2
# (Java) and the exporters of OpenTelemetry for Python 0.66b2 and JavaScript 0.223.0.
#
# Guess: a gauge whose callback fails, as one that asks a queue for its length while the queue is down, is missing or NaN,
# and the other metrics of the page are there.
#
# Really: in Python, JavaScript and Go the whole page is gone: an exception, a rejected promise, a panic that ends the
# connection. Micrometer says NaN and OpenTelemetry leaves that gauge out.
#
# Matters: the counters that a check reads vanish with a dependency that has nothing to do with the release: "no values
# found", and the canary is rolled back, in the same minute for every service that has such a gauge. Catch inside the
# callback, and return NaN.
#
# Seen, for a page with a counter and a gauge that fails: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python prometheus_client==0.26.0 opentelemetry-exporter-prometheus==0.66b2 opentelemetry-sdk==1.45.2 <<'PY'
import logging

logging.disable()
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, generate_latest


def fails(*_):
    raise ConnectionError


def told(name, registry):
    try:
        page = generate_latest(registry).decode()
        print(f"{name}: counter {'requests_total' in page}, gauge", *(line.split()[-1] for line in page.split("\n") if line.startswith("queue ")))
    except ConnectionError:
        print(f"{name}: no page")


registry = CollectorRegistry()
Counter("requests", "", registry=registry).inc()
Gauge("queue", "", registry=registry).set_function(fails)
told("prometheus_client", registry)
meter = MeterProvider([PrometheusMetricReader()]).get_meter("shop")
meter.create_counter("requests").add(1)
meter.create_observable_gauge("queue", [fails])
told("OpenTelemetry for Python", REGISTRY)
PY
with_node prom-client@15.1.3 @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/exporter-prometheus@0.223.0 <<'JS'
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { Counter, Gauge, register } from "prom-client";

const fails = () => {
  throw new Error("down");
};
const told = async (name, page) => {
  try {
    const text = await page();
    console.log(`${name}: counter ${text.includes("requests_total")}, gauge ${/^queue/m.test(text)}`);
  } catch {
    console.log(`${name}: no page`);
  }
};
new Counter({ name: "requests_total", help: "requests" }).inc();
new Gauge({ name: "queue", help: "queue", collect: fails });
await told("prom-client", () => register.metrics());
const reader = new PrometheusExporter({ preventServerStart: true });
const meter = new MeterProvider({ readers: [reader] }).getMeter("shop");
meter.createCounter("requests").add(1);
meter.createObservableGauge("queue").addCallback(fails);
await told("OpenTelemetry for JavaScript", async () => new PrometheusSerializer().serialize((await reader.collect()).resourceMetrics));
JS
with_java io.micrometer:micrometer-registry-prometheus:1.17.2 <<'JAVA'
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

public class Main {
    public static void main(String[] arguments) {
        var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        registry.counter("requests").increment();
        Gauge.builder("queue", () -> {
            throw new IllegalStateException("down");
        }).register(registry);
        registry.scrape().lines().filter(line -> !line.startsWith("#")).sorted().forEach(line -> System.out.println("Micrometer: " + line));
    }
}
JAVA
with_go github.com/prometheus/client_golang@v1.25.0 <<'GO'
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "requests_total"})
	gauge := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "queue"}, func() float64 { panic("down") })
	registry.MustRegister(counter, gauge)
	server := httptest.NewUnstartedServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	if _, err := http.Get(server.URL); err != nil {
		fmt.Println("client_golang: no page")
	}
}
GO
expect <<'END'
prometheus_client: no page
OpenTelemetry for Python: counter True, gauge
prom-client: no page
OpenTelemetry for JavaScript: counter true, gauge false
Micrometer: queue NaN
Micrometer: requests_total 1.0
client_golang: no page
END
