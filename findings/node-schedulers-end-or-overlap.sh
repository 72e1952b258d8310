#!/usr/bin/env bash
# croner 11.0.1, node-schedule 2.1.1, cron 4.4.0, node-cron 4.6.0 and toad-scheduler 4.1.0 (JavaScript).
#
# Guess: a job that fails is logged and runs again at its next time, and a job that takes longer than its interval is
# not started a second time beside itself.
#
# Really: a job that rejects ends the whole process with croner and node-schedule; the others log the error and go on.
# All but toad-scheduler start a job again while it is still running.
#
# Matters: a bot that looks at Canaries each minute and changes to one of the two dies at the first 503 of the API
# server, with all its other jobs. If the metrics server is slow, several looks run at once, and a Canary is approved,
# or a load test started, twice. Catch inside of the job, and use `protect` of croner, `waitForCompletion` of cron or
# `noOverlap` of node-cron.
#
# Seen, of jobs that are due each second: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node croner@11.0.1 node-schedule@2.1.1 cron@4.4.0 node-cron@4.6.0 toad-scheduler@4.1.0 <<'JS'
import { spawnSync } from "node:child_process";
import fs from "node:fs";

const text = `
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const [, , name, kind] = process.argv;
let [runs, running, most] = [0, 0, 0];
const job = async () => {
  most = Math.max(most, ++running);
  runs++;
  if (kind === "fails") throw new Error("503");
  await sleep(2500);
  running--;
};
const each = "* * * * * *";
const start = {
  croner: async () => new (await import("croner")).Cron(each, job),
  "node-schedule": async () => (await import("node-schedule")).default.scheduleJob(each, job),
  cron: async () => new (await import("cron")).CronJob(each, job, null, true),
  "node-cron": async () => (await import("node-cron")).default.schedule(each, job),
  "toad-scheduler": async () => {
    const { AsyncTask, SimpleIntervalJob, ToadScheduler } = await import("toad-scheduler");
    new ToadScheduler().addSimpleIntervalJob(new SimpleIntervalJob({ seconds: 1 }, new AsyncTask("job", job)));
  },
};
await start[name]();
for (const end = Date.now() + (kind === "fails" ? 10000 : 4500); Date.now() < end && (kind !== "fails" || runs < 2); ) await sleep(50);
writeSync(3, kind === "fails" ? "goes on" : most > 1 ? "runs beside itself" : "runs alone");
process.exit();
`;
const file = new URL("one.mjs", import.meta.url).pathname;
fs.writeFileSync(file, text);
for (const kind of ["fails", "takes 2.5 s"]) {
  for (const name of ["croner", "node-schedule", "cron", "node-cron", "toad-scheduler"]) {
    const { output } = spawnSync(process.execPath, [file, name, kind], { stdio: ["ignore", "ignore", "ignore", "pipe"], encoding: "utf8" });
    console.log(`a job that ${kind}, ${name}: ${output[3] || "ends the process"}`);
  }
}
JS
expect <<'END'
a job that fails, croner: ends the process
a job that fails, node-schedule: ends the process
a job that fails, cron: goes on
a job that fails, node-cron: goes on
a job that fails, toad-scheduler: goes on
a job that takes 2.5 s, croner: runs beside itself
a job that takes 2.5 s, node-schedule: runs beside itself
a job that takes 2.5 s, cron: runs beside itself
a job that takes 2.5 s, node-cron: runs beside itself
a job that takes 2.5 s, toad-scheduler: runs alone
END
