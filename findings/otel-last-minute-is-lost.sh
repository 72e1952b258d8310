#!/usr/bin/env bash
# OpenTelemetry SDKs 1.45.2 (Python) and 2.12.1 (JavaScript).
#
# Guess: what was counted since the last export is sent when the process ends, at least when it ends in order.
#
# Really: JavaScript never sends it: not at the end of the program, not at process.exit() and not at SIGTERM. Python does at
# the end, at sys.exit() and after an exception, and not at SIGTERM, which is how a Pod ends.
#
# Matters: with a reader that exports each minute, the last minute of each pod is missing. A canary that fails and is ended
# by its liveness probe each half a minute has no failures at all, and a rollback hides the requests that it was for. Call
# shutdown() of the provider in a handler for SIGTERM, and before process.exit().
#
# Seen, of five failures counted before the end: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export WORK="$work"
with_python opentelemetry-sdk==1.45.2 <<'PY'
import os
import subprocess
import sys

application = """
import signal, sys, time
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, PeriodicExportingMetricReader


class Told(MetricExporter):
    def export(self, data, timeout_millis=0, **options):
        print("exported", flush=True)
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis=0):
        return True

    def shutdown(self, timeout_millis=0, **options):
        pass


provider = MeterProvider([PeriodicExportingMetricReader(Told())])
provider.get_meter("shop").create_counter("failures").add(5)
how = sys.argv[1]
if how == "SIGTERM handled":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
print("counted", flush=True)
if how == "exit":
    sys.exit(1)
if how == "exception":
    raise ValueError
if how.startswith("SIGTERM"):
    time.sleep(600)
"""
path = os.environ["WORK"] + "/application.py"
with open(path, "w") as file:
    file.write(application)
for how in ("end", "exit", "exception", "SIGTERM", "SIGTERM handled"):
    process = subprocess.Popen([sys.executable, path, how], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    process.stdout.readline()
    if how.startswith("SIGTERM"):
        process.terminate()
    print("Python:", how, process.communicate()[0].strip() or "lost")
PY
with_node @opentelemetry/sdk-metrics@2.12.1 <<'JS'
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";

const path = new URL("application.mjs", import.meta.url).pathname;
writeFileSync(path, `
import { AggregationTemporality, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
const exporter = {
  export(data, done) {
    console.log("exported");
    done({ code: 0 });
  },
  selectAggregationTemporality: () => AggregationTemporality.CUMULATIVE,
  async forceFlush() {},
  async shutdown() {},
};
const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
provider.getMeter("shop").createCounter("failures").add(5);
const how = process.argv[2];
if (how === "SIGTERM handled") process.on("SIGTERM", () => provider.shutdown().then(() => process.exit()));
console.log("counted");
if (how === "exit") process.exit(1);
if (how === "exception") throw new Error("failed");
if (how.startsWith("SIGTERM")) setTimeout(() => {}, 600000);
`);
for (const how of ["end", "exit", "exception", "SIGTERM", "SIGTERM handled"]) {
  const application = spawn(process.execPath, [path, how], { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  application.stdout.on("data", (part) => {
    text += part;
    if (text === "counted\n" && how.startsWith("SIGTERM")) application.kill("SIGTERM");
  });
  await once(application, "close");
  console.log("JavaScript:", how, text.includes("exported") ? "exported" : "lost");
}
JS
expect <<'END'
Python: end exported
Python: exit exported
Python: exception exported
Python: SIGTERM lost
Python: SIGTERM handled exported
JavaScript: end lost
JavaScript: exit lost
JavaScript: exception lost
JavaScript: SIGTERM lost
JavaScript: SIGTERM handled exported
END
