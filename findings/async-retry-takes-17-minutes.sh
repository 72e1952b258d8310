#!/usr/bin/env bash
# async-retry 1.3.3, retry 0.13.1 and promise-retry 2.0.1 (JavaScript).
#
# Guess: without options a call is tried again a few times, within some seconds.
#
# Really: ten times, one second apart at first and twice as long each time: 1, 2, 4 and so on to 512 seconds. With
# async-retry each wait is up to twice as long besides.
#
# Matters: a webhook, a Job or a bot in JavaScript that wraps its question to a metrics server in retry() hangs for 17 to
# 34 minutes when that server is down, past the deadline of its Canary's step, and what it answers then is for nobody.
# Give retries and maxTimeout.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node async-retry@1.3.3 retry@0.13.1 promise-retry@2.0.1 <<'JS'
import asyncRetry from "async-retry";
import promiseRetry from "promise-retry";
import retry from "retry";

const minutes = (waits) => Math.round(waits.reduce((sum, ms) => sum + ms, 0) / 60_000);
console.log("retry:", retry.timeouts().join(), `= ${minutes(retry.timeouts())} minutes`);
// Both ask setTimeout for the waits; here it does not wait.
const real = globalThis.setTimeout;
for (const [name, call] of [["async-retry", asyncRetry], ["promise-retry", (ask) => promiseRetry((again) => ask().catch(again))]]) {
  const waits = [];
  globalThis.setTimeout = (run, ms, ...rest) => (waits.push(ms), real(run, 0, ...rest));
  let calls = 0;
  await call(async () => {
    calls++;
    throw new Error("503");
  }).catch(() => {});
  globalThis.setTimeout = real;
  const least = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].every((s, i) => waits[i] >= s * 1000 && waits[i] <= s * 2000);
  console.log(`${name}: ${calls} calls, ${waits.length} waits from 1 to 512 s, or up to twice as long: ${least}`);
}
JS
expect <<'END'
retry: 1000,2000,4000,8000,16000,32000,64000,128000,256000,512000 = 17 minutes
async-retry: 11 calls, 10 waits from 1 to 512 s, or up to twice as long: true
promise-retry: 11 calls, 10 waits from 1 to 512 s, or up to twice as long: true
END
