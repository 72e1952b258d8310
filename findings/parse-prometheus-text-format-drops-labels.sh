#!/usr/bin/env bash
# parse-prometheus-text-format 1.1.1 (npm).
#
# Guess: a histogram with the labels path="/a" and path="/b" is read as two histograms, each with its labels, its sum and
# its count, as counters are.
#
# Really: all label sets of a histogram or summary become one without labels, whose buckets are those of the last. Sum and
# count are only there where the metric has no labels at all; with one label set they are missing too.
#
# Matters: a bot or a page that reads the durations of a canary from its /metrics judges one route, the one that happens
# to stand last, and cannot calculate a mean. Counters are right, so that nobody looks further.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node parse-prometheus-text-format@1.1.1 <<'JS'
import parse from "parse-prometheus-text-format";

const histogram = (labels, fast, all) => [
  `took_bucket{${labels}le="0.1"} ${fast}`,
  `took_bucket{${labels}le="+Inf"} ${all}`,
  labels ? `took_sum{${labels.slice(0, -1)}} ${all}` : `took_sum ${all}`,
  labels ? `took_count{${labels.slice(0, -1)}} ${all}` : `took_count ${all}`,
];
const show = (name, type, ...lines) => {
  const [family] = parse([`# TYPE took ${type}`, ...lines, ""].join("\n"));
  console.log(`${name}:`, ...family.metrics.map((metric) => JSON.stringify(metric)));
};
show("counter", "counter", 'took{path="/a"} 1', 'took{path="/b"} 2');
show("histogram", "histogram", ...histogram("", 9, 10));
show("with a label", "histogram", ...histogram('path="/a",', 9, 10));
show("with two", "histogram", ...histogram('path="/a",', 1, 10), ...histogram('path="/b",', 20, 20));
show("summary", "summary", 'took{path="/a",quantile="0.9"} 4', 'took{path="/b",quantile="0.9"} 0.1');
JS
expect <<'END'
counter: {"value":"1","labels":{"path":"/a"}} {"value":"2","labels":{"path":"/b"}}
histogram: {"buckets":{"0.1":"9","+Inf":"10"},"count":"10","sum":"10"}
with a label: {"buckets":{"0.1":"9","+Inf":"10"}}
with two: {"buckets":{"0.1":"20","+Inf":"20"}}
summary: {"quantiles":{"0.9":"0.1"}}
END
