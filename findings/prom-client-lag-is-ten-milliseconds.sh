#!/usr/bin/env bash
# prom-client 15.1.3 on Node 20 (JavaScript).
#
# Guess: nodejs_eventloop_lag_p50_seconds and its like are close to 0 in a process that does nothing, and a stop of half
# a second is in the maximum for every Prometheus that scrapes the process.
#
# Really: these metrics contain the 10 ms between two samples: the median of an idle process is 10 ms. Each scrape
# resets them, so that what one Prometheus has seen the next one does not see. Two scrapes right after each other give
# NaN for the mean and 292 years for the minimum. nodejs_eventloop_lag_seconds is the lag of the scrape before.
#
# Matters: a limit of 10 ms on the lag of a canary fails without any load. With a pair of Prometheus servers, or a probe
# that reads /metrics, each server sees a part of the stops, and a check that asks one of them passes a canary that
# blocks. Compare the canary with its primary, and use a histogram of the durations of requests.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node prom-client@15.1.3 <<'JS'
import { setTimeout as sleep } from "node:timers/promises";
import client from "prom-client";

client.collectDefaultMetrics();
const scrape = async () => {
  const metrics = await client.register.getMetricsAsJSON();
  return Object.fromEntries(metrics.filter(({ name }) => name.includes("eventloop_lag")).map(({ name, values }) => [name.replace("nodejs_eventloop_lag_", ""), values[0].value]));
};
await scrape();
await sleep(2000);
const idle = await scrape();
console.log(`idle: the median is ${idle.p50_seconds > 0.009 ? "at least" : "below"} 9 ms`);
await sleep(100);
for (const end = Date.now() + 500; Date.now() < end; );
await sleep(100);
const first = await scrape();
await sleep(300);
const second = await scrape();
const third = await scrape();
console.log(`blocked for 0.5 s: the maximum of the first scrape is ${first.max_seconds > 0.4 ? "above" : "below"} 0.4 s, of the second ${second.max_seconds > 0.4 ? "above" : "below"} it`);
console.log(`scraped again at once: the mean is ${third.mean_seconds}, the minimum ${Math.round(third.min_seconds / 365.25 / 24 / 3600)} years`);
JS
expect <<'END'
idle: the median is at least 9 ms
blocked for 0.5 s: the maximum of the first scrape is above 0.4 s, of the second below it
scraped again at once: the mean is NaN, the minimum 292 years
END
