#!/usr/bin/env bash
# prom-client 15.1.3 (JavaScript), AggregatorRegistry, as with node:cluster and pm2.
#
# Guess: metrics of worker processes are put together by what they are: counters added, gauges and quantiles left
# apart or averaged.
#
# Really: all are added unless the metric says otherwise. Two workers whose p99 is 0.1 s have a p99 of 0.2 s, and a
# gauge of 50 in each is 100.
#
# Matters: a canary that gets more workers than the primary has is "slower" by that factor; a threshold on a summary's
# quantile depends on the number of CPUs. Use histograms, and `aggregator: "average"` for gauges.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node prom-client@15.1.3 <<'JS'
import client from "prom-client";

const worker = async () => {
  const registers = [new client.Registry()];
  new client.Gauge({ name: "weight", help: "h", registers }).set(50);
  new client.Gauge({ name: "averaged", help: "h", aggregator: "average", registers }).set(50);
  new client.Summary({ name: "duration_seconds", help: "h", percentiles: [0.99], registers }).observe(0.1);
  return registers[0].getMetricsAsJSON();
};
const text = await client.AggregatorRegistry.aggregate([await worker(), await worker()]).metrics();
console.log(text.split("\n").filter((line) => /^(weight|averaged|duration_seconds{)/.test(line)).join("\n"));
JS
expect <<'END'
weight 100
averaged 50
duration_seconds{quantile="0.99"} 0.2
END
