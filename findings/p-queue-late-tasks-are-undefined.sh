#!/usr/bin/env bash
# p-queue 8.1.1, against 9.3.5 (JavaScript).
#
# Guess: a task that exceeds the time-out of the queue rejects.
#
# Really: up to version 8 add() resolves with undefined, and addAll() gives undefined in its place, unless throwOnTimeout is set.
# Since version 9 it rejects with a TimeoutError, and addAll() loses the results of the others. In both versions the task itself
# goes on.
#
# Matters: a bot that asks the metrics server once for each Canary takes a server that hangs for an answer without a value: with
# `(await queue.add(ask)) > 5` no canary fails. Set throwOnTimeout in version 8; catch inside of each task in version 9.
#
# Seen, with a time-out of 0.2 s and a first task of 0.6 s: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
program=$(cat <<'JS'
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import PQueue from "p-queue";

const { version } = JSON.parse(readFileSync(createRequire(import.meta.url).resolve("p-queue").replace(/dist.*/, "package.json")));
let ended = 0;
const slow = async () => {
  await sleep(600);
  ended += 1;
  return 7;
};
const outcome = async (promise) => {
  try {
    return `resolves with ${JSON.stringify(await promise)}`;
  } catch (error) {
    return `rejects with ${error.name}`;
  }
};
console.log(version, "add:", await outcome(new PQueue({ timeout: 200 }).add(slow)));
console.log(version, "addAll:", await outcome(new PQueue({ concurrency: 1, timeout: 200 }).addAll([slow, async () => 3])));
if (version.startsWith("8")) {
  console.log(version, "throwOnTimeout:", await outcome(new PQueue({ timeout: 200, throwOnTimeout: true }).add(slow)));
}
await sleep(1000);
console.log(version, "slow tasks that ended all the same:", ended);
JS
)
with_node p-queue@8.1.1 <<<"$program"
with_node p-queue@9.3.5 <<<"$program"
expect <<'END'
8.1.1 add: resolves with undefined
8.1.1 addAll: resolves with [null,3]
8.1.1 throwOnTimeout: rejects with TimeoutError
8.1.1 slow tasks that ended all the same: 3
9.3.5 add: rejects with TimeoutError
9.3.5 addAll: rejects with TimeoutError
9.3.5 slow tasks that ended all the same: 2
END
