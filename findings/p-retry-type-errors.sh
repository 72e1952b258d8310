#!/usr/bin/env bash
# p-retry 9.0.0 and exponential-backoff 3.1.3 (JavaScript).
#
# Guess: pRetry(call, {retries: 3}) tries again whatever the call throws, three times in all.
#
# Really: a TypeError whose text is not one of a failed fetch ends it at once, and three retries are four calls. With
# exponential-backoff numOfAttempts: 3 are three calls, TypeErrors too.
#
# Matters: a webhook or a bot that reads a field of an answer that is not there yet (a Canary without a status) throws
# just a TypeError: the case that the retry was for.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node p-retry@9.0.0 exponential-backoff@3.1.3 <<'JS'
import { backOff } from "exponential-backoff";
import pRetry from "p-retry";

const canary = {};
const calls = async (retry, call) => {
  let count = 0;
  await retry(() => {
    count += 1;
    return call();
  }).catch(() => {});
  return count;
};
const early = () => canary.status.phase;
const failing = () => {
  throw new Error("503");
};
const three = (call) => pRetry(call, { retries: 3, minTimeout: 1 });
const attempts = (call) => backOff(call, { numOfAttempts: 3, startingDelay: 1 });
console.log("p-retry: Error", await calls(three, failing), "TypeError", await calls(three, early));
console.log("exponential-backoff: Error", await calls(attempts, failing), "TypeError", await calls(attempts, early));
JS
expect <<'END'
p-retry: Error 4 TypeError 1
exponential-backoff: Error 3 TypeError 3
END
