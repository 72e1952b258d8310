#!/usr/bin/env bash
# prom-client 15.1.3 (npm): the quantiles of a Summary are of everything since the process began.
#
# Guess: they are of the last ten minutes, as in Prometheus' clients for Go and Java.
#
# Really: without maxAgeSeconds and ageBuckets nothing is ever forgotten.
#
# Matters: the first requests of a new process are slow. 50 of them keep the 99th percentile at its worst until 5000 more
# requests have been served: a canary with little traffic fails its check for the whole analysis, beside a primary that
# has been running for days. Set maxAgeSeconds and ageBuckets, or use a Histogram with rate().
#
# Seen, after 50 requests of 5 s and, two seconds later, 1000 of 0.01 s:
#   default: 5
#   maxAgeSeconds 1: 0.01
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
node_packages prom-client@15.1.3
NODE_PATH="$work/node_modules" node - <<'JS' | tee "$work/seen"
const {Summary} = require('prom-client');
const summary = (name, options) => new Summary({name, help: name, percentiles: [0.99], ...options});
const summaries = {'default': summary('a'), 'maxAgeSeconds 1': summary('b', {maxAgeSeconds: 1, ageBuckets: 2})};
const observe = (seconds, times) => {
  for (const one of Object.values(summaries)) for (let i = 0; i < times; i++) one.observe(seconds);
};

observe(5, 50);
setTimeout(async () => {
  observe(0.01, 1000);
  for (const [name, one] of Object.entries(summaries)) console.log(`${name}: ${(await one.get()).values[0].value}`);
}, 2500); // longer than maxAgeSeconds: what is looked at is what time does
JS
diff "$work/seen" - <<'TXT'
default: 5
maxAgeSeconds 1: 0.01
TXT
