#!/usr/bin/env bash
# fastify-metrics 14.1.0 with fastify 5.12.8 (JavaScript), and starlette-exporter 0.24.0 with fastapi 0.165.0 (Python).
#
# Guess: a request for a path that the application does not know is counted with the status 404, and one whose client
# leaves before the answer is counted somehow.
#
# Really: neither counts a path without a route: five times 404 are no request at all. fastify-metrics does not count a
# client that leaves either; starlette-exporter counts it with the status 200.
#
# Matters: a release that loses a route, or mounts it under another prefix, answers its users by 404, and its own metrics
# show fewer requests, all of them good: a check of the share of 4xx passes. Set registeredRoutesOnly: false, or
# filter_unhandled_paths=False, or count at the proxy.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node fastify@5.12.8 fastify-metrics@14.1.0 <<'JS'
import net from "node:net";
import Fastify from "fastify";
import metrics from "fastify-metrics";

const app = Fastify();
await app.register(metrics, { endpoint: "/metrics", defaultMetrics: { enabled: false } });
app.get("/works", async () => "fine");
app.get("/slow", () => new Promise((resolve) => setTimeout(() => resolve("late"), 1000)));
await app.listen({ port: 0, host: "127.0.0.1" });
const { port } = app.server.address();
const ask = (path) => fetch(`http://127.0.0.1:${port}${path}`);
await ask("/works");
for (let i = 0; i < 5; i++) await ask("/lost");
const client = net.connect(port, "127.0.0.1");
client.write("GET /slow HTTP/1.1\r\nhost: test\r\n\r\n");
await new Promise((resolve) => setTimeout(resolve, 500));
client.destroy();
await new Promise((resolve) => setTimeout(resolve, 2000));
const page = await (await ask("/metrics")).text();
console.log(page.split("\n").filter((line) => line.startsWith("http_request_duration_seconds_count")).join("\n"));
process.exit();
JS
with_python starlette-exporter==0.24.0 fastapi==0.165.0 starlette==1.10.0 uvicorn==0.54.0 <<'PY'
import asyncio
import socket
import threading
import time
import urllib.error
import urllib.request

import uvicorn
from fastapi import FastAPI
from starlette_exporter import PrometheusMiddleware, handle_metrics

app = FastAPI()
app.add_middleware(PrometheusMiddleware)
app.add_route("/metrics", handle_metrics)


@app.get("/works")
async def works():
    return "fine"


@app.get("/slow")
async def slow():
    await asyncio.sleep(1)
    return "late"


server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
threading.Thread(target=server.run, daemon=True).start()
while not server.started:
    time.sleep(0.1)
port = server.servers[0].sockets[0].getsockname()[1]


def ask(path):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").read().decode()
    except urllib.error.HTTPError as error:
        return error.code


ask("/works")
for _ in range(5):
    ask("/lost")
with socket.create_connection(("127.0.0.1", port)) as client:
    client.send(b"GET /slow HTTP/1.1\r\nhost: test\r\n\r\n")
    time.sleep(0.5)
time.sleep(2)
for line in ask("/metrics").splitlines():
    if line.startswith("starlette_requests_total"):
        print(line)
PY
expect <<'END'
http_request_duration_seconds_count{method="GET",route="/works",status_code="200"} 1
starlette_requests_total{app_name="starlette",method="GET",path="/works",status_code="200"} 1.0
starlette_requests_total{app_name="starlette",method="GET",path="/slow",status_code="200"} 1.0
END
