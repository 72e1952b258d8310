#!/usr/bin/env bash
# prom-client 15.1.3 (JavaScript).
#
# Guess: new Summary({maxAgeSeconds: 1}) forgets what is older than a second; and without it, ten minutes apply, as in
# the Go client.
#
# Really: nothing is ever forgotten unless ageBuckets is given too. A quantile is that of the whole life of the process.
#
# Matters: a canary that was slow for its first minute shows that p99 for as long as it runs, and a long-lived primary
# does not show that it has become slow. Use a histogram, or both options.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node prom-client@15.1.3 <<'JS'
import client from "prom-client";

const registers = [new client.Registry()];
const summary = (name, options) => new client.Summary({ name, help: "h", percentiles: [0.99], registers, ...options });
const all = { age_only: summary("age_only", { maxAgeSeconds: 1 }), both: summary("both", { maxAgeSeconds: 1, ageBuckets: 2 }) };
for (const metric of Object.values(all)) metric.observe(100);
await new Promise((done) => setTimeout(done, 3000));
for (const metric of Object.values(all)) metric.observe(1);
for (const [name, metric] of Object.entries(all)) console.log(name, "p99", (await metric.get()).values[0].value);
JS
expect <<'END'
age_only p99 100
both p99 1
END
