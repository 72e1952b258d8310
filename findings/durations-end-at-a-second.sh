#!/usr/bin/env bash
# prometheus-fastapi-instrumentator 8.1.0 with fastapi 0.165.0 (Python), prometheus-api-metrics 4.0.0 with express 5.3.0
# (JavaScript).
#
# Guess: with their defaults the buckets of http_request_duration_seconds go up to 10 s, as those of the client libraries do.
#
# Really: they end at 1 s and at 0.5 s: what is slower is in +Inf only. FastAPI's has a second histogram up to 60 s, without
# path and method, under another name.
#
# Matters: a quantile that falls into +Inf is the highest bound, so that the p99 of a canary that takes 20 s is 1 s, or
# 0.5 s, and a threshold at or above that can never fail: `request-duration` of the providers kubernetes and gatewayapi, which
# reads http_request_duration_seconds, with `max: 1500` (ms) is no check. Give buckets beyond the threshold, or a limit below
# the last bound.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python prometheus-fastapi-instrumentator==8.1.0 fastapi==0.165.0 starlette==1.10.0 httpx==0.28.1 <<'PY'
import time

from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_fastapi_instrumentator import Instrumentator

app = FastAPI()
Instrumentator().instrument(app).expose(app)


@app.get("/slow")
def slow():
    time.sleep(1.2)


client = TestClient(app)
client.get("/slow")
for line in client.get("/metrics").text.splitlines():
    if line.startswith('http_request_duration_seconds_bucket{handler="/slow"'):
        print("FastAPI:", line.split("{")[1].split(",")[1], line.split()[-1])
PY
mkdir "$work/node"
echo '{"name": "web", "version": "1.0.0"}' >"$work/node/package.json"
with_node prometheus-api-metrics@4.0.0 prom-client@15.1.3 express@5.3.0 <<'JS'
import { createRequire } from "node:module";
import express from "express";

const metrics = createRequire(import.meta.url)("prometheus-api-metrics");
const app = express();
app.use(metrics());
app.get("/slow", (_, response) => setTimeout(() => response.send("late"), 1200));
const server = app.listen(0, "127.0.0.1", async () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  await (await fetch(`${url}/slow`)).text();
  const page = await (await fetch(`${url}/metrics`)).text();
  for (const line of page.split("\n").filter((line) => /^http_request_duration_seconds_bucket.*slow/.test(line))) {
    console.log("Express:", line.match(/le="[^"]*"/)[0], line.split(" ").at(-1));
  }
  process.exit();
});
JS
expect <<'END'
FastAPI: le="0.1" 0.0
FastAPI: le="0.5" 0.0
FastAPI: le="1.0" 0.0
FastAPI: le="+Inf" 1.0
Express: le="0.001" 0
Express: le="0.005" 0
Express: le="0.015" 0
Express: le="0.05" 0
Express: le="0.1" 0
Express: le="0.2" 0
Express: le="0.3" 0
Express: le="0.4" 0
Express: le="0.5" 0
Express: le="+Inf" 1
END
