#!/usr/bin/env bash
# prometheus/otlptranslator 1.0.0 (Go; the OTLP receiver of Prometheus 3 and the exporters of the Collector), against
# opentelemetry-exporter-prometheus 0.66b2 (Python).
#
# Guess: the name of an instrument becomes that of a metric word by word, with the unit and `_total` behind it.
#
# Really: "total" of a counter and "ratio" of a gauge without a unit are taken out wherever they stand, and put at the end:
# cache.total.misses is cache_misses_total, and success.ratio.min is success_min_ratio. "total" of other kinds stays. A name
# that ends in the short form of its unit has both. The exporter of Python leaves words where they are.
#
# Matters: a service whose metrics are sent by OTLP, where those of the release before were scraped, has none of these under
# the name that a MetricTemplate asks for: "no values found". Name instruments without total, ratio and units.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/prometheus/otlptranslator@v1.0.0 <<'GO'
package main

import (
	"fmt"

	"github.com/prometheus/otlptranslator"
)

func main() {
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	for _, metric := range []otlptranslator.Metric{
		{Name: "cache.total.misses", Type: otlptranslator.MetricTypeMonotonicCounter},
		{Name: "total.requests", Type: otlptranslator.MetricTypeMonotonicCounter},
		{Name: "success.ratio.min", Unit: "1", Type: otlptranslator.MetricTypeGauge},
		{Name: "wait.total.time", Unit: "s", Type: otlptranslator.MetricTypeGauge},
		{Name: "wait.time.ms", Unit: "ms", Type: otlptranslator.MetricTypeGauge},
	} {
		name, err := namer.Build(metric)
		if err != nil {
			panic(err)
		}
		fmt.Printf("OTLP: %s is %s\n", metric.Name, name)
	}
}
GO
with_python opentelemetry-exporter-prometheus==0.66b2 opentelemetry-sdk==1.45.2 <<'PY'
import prometheus_client
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider

meter = MeterProvider(metric_readers=[PrometheusMetricReader()]).get_meter("shop")
for name in ("cache.total.misses", "total.requests"):
    meter.create_counter(name).add(1)
meter.create_gauge("success.ratio.min", unit="1").set(1)
for family in prometheus_client.REGISTRY.collect():
    for sample in family.samples:
        if sample.name.split("_")[0] in ("cache", "total", "success"):
            print("Python:", sample.name)
PY
expect <<'END'
OTLP: cache.total.misses is cache_misses_total
OTLP: total.requests is requests_total
OTLP: success.ratio.min is success_min_ratio
OTLP: wait.total.time is wait_total_time_seconds
OTLP: wait.time.ms is wait_time_ms_milliseconds
Python: cache_total_misses_total
Python: total_requests_total
Python: success_ratio_min
END
