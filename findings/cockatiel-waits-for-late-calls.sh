#!/usr/bin/env bash
# cockatiel 3.2.1 (JavaScript).
#
# Guess: a time-out with the strategy Cooperative rejects after its time, and a retry around it tries again.
#
# Really: it only tells the signal that it hands to the function. A function that does not look at the signal is waited for, and
# its late result is returned, as if there were no time-out; a retry around it does not try again. Where the function passes the
# signal on, it rejects. The strategy Aggressive rejects after its time.
#
# Matters: a webhook that puts this around an axios or a database call waits as long as the server takes, beyond the deadline of
# its step. Pass the signal on, or use Aggressive.
#
# Seen, with a time-out of 0.2 s and a call of 1 s: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node cockatiel@3.2.1 <<'JS'
import { ConstantBackoff, TimeoutStrategy, handleAll, retry, timeout, wrap } from "cockatiel";
import { setTimeout as sleep } from "node:timers/promises";

const outcome = async (policy, call) => {
  const begin = Date.now();
  let calls = 0;
  let said;
  try {
    said = `resolves with ${await policy.execute((context) => { calls += 1; return call(context); })}`;
  } catch (error) {
    said = `rejects with ${error.constructor.name}`;
  }
  return `${said}, ${calls} call(s), ${Date.now() - begin < 900 ? "in time" : "after the call has ended"}`;
};
const deaf = () => sleep(1000, "a late answer");
const listening = ({ signal }) => sleep(1000, "a late answer", { signal });
const again = retry(handleAll, { maxAttempts: 1, backoff: new ConstantBackoff(1) });
for (const strategy of ["Cooperative", "Aggressive"]) {
  const policy = timeout(200, TimeoutStrategy[strategy]);
  console.log(`${strategy}, signal ignored:`, await outcome(policy, deaf));
  console.log(`${strategy}, signal passed on:`, await outcome(policy, listening));
  console.log(`${strategy}, retry around it:`, await outcome(wrap(again, policy), deaf));
}
JS
expect <<'END'
Cooperative, signal ignored: resolves with a late answer, 1 call(s), after the call has ended
Cooperative, signal passed on: rejects with AbortError, 1 call(s), in time
Cooperative, retry around it: resolves with a late answer, 1 call(s), after the call has ended
Aggressive, signal ignored: rejects with TaskCancelledError, 1 call(s), in time
Aggressive, signal passed on: rejects with TaskCancelledError, 1 call(s), in time
Aggressive, retry around it: rejects with TaskCancelledError, 2 call(s), in time
END
