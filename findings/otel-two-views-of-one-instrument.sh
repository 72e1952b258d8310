#!/usr/bin/env bash
# OpenTelemetry SDKs 1.47.0 (Go), 1.45.2 (Python), 2.12.1 (JavaScript), with their exporters for Prometheus.
#
# Guess: of two views that match one histogram, one for all instruments that drops the label `user` and one that gives this
# histogram its buckets, both apply, or the later one does. One request is one.
#
# Really: JavaScript counts each request twice, in the buckets of the view that comes first. Python exposes the histogram
# twice, once with each view, so that a sum over it counts twice. Go takes the first view alone, without an error: the other
# has no effect.
#
# Matters: a share of slow requests is made of two kinds of buckets, or of the default ones, and a failure rate that divides
# a counter by the histogram's count is half of what it is. Write one view for each instrument that has all that is to hold.
#
# Seen, for one request of 0.5 s, by the order of the views: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/exporter-prometheus@0.223.0 <<'JS'
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { AggregationType, createDenyListAttributesProcessor, MeterProvider } from "@opentelemetry/sdk-metrics";

const all = { instrumentName: "*", attributesProcessors: [createDenyListAttributesProcessor(["user"])] };
const buckets = { instrumentName: "seconds", aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [0.1, 1] } } };
for (const [name, views] of [["labels first", [all, buckets]], ["buckets first", [buckets, all]]]) {
  const reader = new PrometheusExporter({ preventServerStart: true });
  new MeterProvider({ readers: [reader], views }).getMeter("shop").createHistogram("seconds").record(0.5, { user: "1" });
  const page = new PrometheusSerializer().serialize((await reader.collect()).resourceMetrics);
  const counts = page.match(/^seconds_count.*$/gm).map((line) => (line.includes("user=") ? "with user " : "without user ") + line.split(" ").pop());
  console.log(`JavaScript, ${name}: ${counts.join(", ")}; buckets ${page.match(/^seconds_bucket/gm).length}`);
}
JS
with_python opentelemetry-exporter-prometheus==0.66b2 opentelemetry-sdk==1.45.2 <<'PY'
import logging

logging.disable()
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from prometheus_client import REGISTRY

every = View(instrument_name="*", attribute_keys={"route"})
buckets = View(instrument_name="seconds", aggregation=ExplicitBucketHistogramAggregation([0.1, 1]))
for name, views in (("labels first", [every, buckets]), ("buckets first", [buckets, every])):
    provider = MeterProvider([PrometheusMetricReader()], views=views)
    provider.get_meter("shop").create_histogram("seconds").record(0.5, {"route": "/", "user": "1"})
    samples = [one for family in REGISTRY.collect() for one in family.samples]
    counts = [f"{'with' if 'user' in one.labels else 'without'} user {one.value:.0f}" for one in samples if one.name == "seconds_count"]
    print(f"Python, {name}: {', '.join(counts)}; buckets {sum(one.name == 'seconds_bucket' for one in samples)}")
    provider.shutdown()
PY
with_go go.opentelemetry.io/otel/exporters/prometheus@v0.69.0 go.opentelemetry.io/otel/sdk/metric@v1.47.0 <<'GO'
package main

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	api "go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric"
)

func main() {
	all := metric.NewView(metric.Instrument{Name: "*"}, metric.Stream{AttributeFilter: attribute.NewDenyKeysFilter("user")})
	buckets := metric.NewView(metric.Instrument{Name: "seconds"}, metric.Stream{Aggregation: metric.AggregationExplicitBucketHistogram{Boundaries: []float64{0.1, 1}}})
	for _, order := range []struct {
		name  string
		views []metric.View
	}{{"labels first", []metric.View{all, buckets}}, {"buckets first", []metric.View{buckets, all}}} {
		registry := prometheus.NewRegistry()
		reader, err := exporter.New(exporter.WithRegisterer(registry))
		if err != nil {
			panic(err)
		}
		histogram, err := metric.NewMeterProvider(metric.WithReader(reader), metric.WithView(order.views...)).Meter("shop").Float64Histogram("seconds")
		if err != nil {
			panic(err)
		}
		histogram.Record(context.Background(), 0.5, api.WithAttributes(attribute.String("user", "1")))
		families, err := registry.Gather()
		if err != nil {
			panic(err)
		}
		for _, family := range families {
			for _, one := range family.Metric {
				if family.GetName() != "seconds" {
					continue
				}
				user := "without user"
				for _, label := range one.Label {
					if label.GetName() == "user" {
						user = "with user"
					}
				}
				fmt.Printf("Go, %s: %s %d; buckets %d\n", order.name, user, one.Histogram.GetSampleCount(), len(one.Histogram.Bucket)+1)
			}
		}
	}
}
GO
expect <<'END'
JavaScript, labels first: without user 2; buckets 16
JavaScript, buckets first: with user 2; buckets 3
Python, labels first: without user 1, without user 1; buckets 19
Python, buckets first: with user 1, without user 1; buckets 19
Go, labels first: without user 1; buckets 16
Go, buckets first: with user 1; buckets 3
END
