#!/usr/bin/env bash
# @opentelemetry/exporter-prometheus 0.223.0 with @opentelemetry/sdk-metrics 2.12.1 (JavaScript), and
# opentelemetry-exporter-prometheus 0.66b2 with opentelemetry-sdk 1.45.2 (Python).
#
# Guess: a histogram that a view makes exponential is on the page of metrics as a native histogram, or at least with its
# sum and count, or there is an error.
#
# Really: JavaScript writes its name with the type "untyped" and no sample, without an error. In Python the page of
# metrics fails as a whole, with all other metrics of the process.
#
# Matters: a release that switches exponential histograms on, for its backend by OTLP, loses the metric from which
# Prometheus computes durations and success rates, or every metric: a good canary is rolled back for missing values.
# Views count for all readers; let the instrument keep its buckets while somebody scrapes it.
#
# Seen, the lines on the page: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/exporter-prometheus@0.223.0 <<'JS'
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { AggregationType, MeterProvider } from "@opentelemetry/sdk-metrics";

for (const type of [AggregationType.DEFAULT, AggregationType.EXPONENTIAL_HISTOGRAM]) {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const views = [{ instrumentName: "took", aggregation: { type } }];
  const meter = new MeterProvider({ readers: [exporter], views }).getMeter("shop");
  meter.createHistogram("took").record(0.2);
  meter.createCounter("requests").add(1);
  const page = await new Promise((end) => exporter.getMetricsRequestHandler({}, { setHeader() {}, end }));
  const lines = (name) => page.split("\n").filter((line) => line.startsWith(name)).length;
  const title = type === AggregationType.DEFAULT ? "with buckets" : "exponential";
  console.log(`JavaScript, ${title}: ${lines("took")} lines of the histogram, ${lines("requests")} of the counter, ${page.match(/TYPE took .*/)?.[0] ?? "no type"}`);
}
process.exit();
JS
with_python opentelemetry-sdk==1.45.2 opentelemetry-exporter-prometheus==0.66b2 <<'PY'
import re

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.view import DefaultAggregation, ExponentialBucketHistogramAggregation, View
from prometheus_client import REGISTRY, generate_latest

for title, aggregation in (("with buckets", DefaultAggregation()), ("exponential", ExponentialBucketHistogramAggregation())):
    reader = PrometheusMetricReader()
    provider = MeterProvider(metric_readers=[reader], views=[View(instrument_name="took", aggregation=aggregation)])
    meter = provider.get_meter("shop")
    meter.create_histogram("took").record(0.2)
    meter.create_counter("requests").add(1)
    try:
        page = generate_latest(REGISTRY).decode()
    except AttributeError:
        print(f"Python, {title}: no page")
        break
    histogram, counter = (len(re.findall(f"^{name}", page, re.M)) for name in ("took", "requests"))
    kind = re.search("TYPE took .*", page)
    print(f"Python, {title}: {histogram} lines of the histogram, {counter} of the counter, {kind[0] if kind else 'no type'}")
    provider.shutdown()
PY
expect <<'END'
JavaScript, with buckets: 18 lines of the histogram, 1 of the counter, TYPE took histogram
JavaScript, exponential: 0 lines of the histogram, 1 of the counter, TYPE took untyped
Python, with buckets: 18 lines of the histogram, 1 of the counter, TYPE took histogram
Python, exponential: no page
END
