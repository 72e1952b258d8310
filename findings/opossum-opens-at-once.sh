#!/usr/bin/env bash
# opossum 9.0.0 (JavaScript).
#
# Guess: a breaker with errorThresholdPercentage: 50 and room for a window of ten seconds opens once half of a number of
# calls have failed.
#
# Really: volumeThreshold is 0, and the percentage is looked at after each failure: one failure that is the first call of
# the window is 100 %. After it every call is refused for the 30 s of resetTimeout, while the backend is well.
#
# Matters: with little traffic, as a canary has at its first step, one time-out of a backend becomes half a minute of
# failures of the canary, which is rolled back; the primary, with many calls a second, does not even notice. Set
# volumeThreshold.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node opossum@9.0.0 <<'JS'
import CircuitBreaker from "opossum";

for (const [name, options] of [
  ["as it is", { errorThresholdPercentage: 50 }],
  ["volumeThreshold 10", { errorThresholdPercentage: 50, volumeThreshold: 10 }],
]) {
  let asked = 0;
  const backend = async () => {
    asked += 1;
    if (asked === 1) throw new Error("503");
    return "ok";
  };
  const breaker = new CircuitBreaker(backend, options);
  const outcomes = [];
  for (let i = 0; i < 6; i++) outcomes.push(await breaker.fire().catch((error) => error.message));
  console.log(`${name}: ${outcomes.join(", ")}; the backend was asked ${asked} times`);
  breaker.shutdown();
}
JS
expect <<'END'
as it is: 503, Breaker is open, Breaker is open, Breaker is open, Breaker is open, Breaker is open; the backend was asked 1 times
volumeThreshold 10: 503, ok, ok, ok, ok, ok; the backend was asked 6 times
END
