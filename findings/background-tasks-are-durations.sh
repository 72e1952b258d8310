#!/usr/bin/env bash
# prometheus-fastapi-instrumentator 8.1.0 with fastapi 0.165.0, against starlette-exporter 0.24.0 (Python).
#
# Guess: the duration of a request ends when its answer has been sent; what a handler leaves to BackgroundTasks, which run
# after that, is in no histogram.
#
# Really: the instrumentator measures until the last background task is done. An answer after some milliseconds is a request
# of a second, if a task of a second follows. starlette-exporter ends with the answer.
#
# Matters: a release that moves an e-mail into a background task answers faster and is rolled back for its p99, since
# http_request_duration_seconds is what the built-in request-duration of the providers kubernetes and gatewayapi reads. Give
# such work to a queue, or measure at the proxy.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python prometheus-fastapi-instrumentator==8.1.0 starlette-exporter==0.24.0 fastapi==0.165.0 prometheus_client==0.26.0 <<'PY'
import asyncio
import time

from fastapi import BackgroundTasks, FastAPI
from prometheus_client import REGISTRY
from prometheus_fastapi_instrumentator import Instrumentator
from starlette_exporter import PrometheusMiddleware

request = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": "/order",
           "raw_path": b"/order", "query_string": b"", "headers": [], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)}


async def answered(app):
    began, ended = time.monotonic(), []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        if message["type"] == "http.response.body" and not message.get("more_body"):
            ended.append(time.monotonic() - began)

    await app(request, receive, send)
    return ended[-1]


def application():
    app = FastAPI()

    @app.get("/order")
    async def order(tasks: BackgroundTasks):
        tasks.add_task(asyncio.sleep, 1)
        return "fine"

    return app


instrumented, exported = application(), application()
Instrumentator().instrument(instrumented)
exported.add_middleware(PrometheusMiddleware)
for name, app, metric in (
    ("instrumentator", instrumented, "http_request_duration_seconds_sum"),
    ("starlette-exporter", exported, "starlette_request_duration_seconds_sum"),
):
    after = asyncio.run(answered(app))
    measured = sum(one.value for family in REGISTRY.collect() for one in family.samples if one.name == metric)
    print(f"{name}: answered after {after:.0f} s, measured {measured:.0f} s")
PY
expect <<'END'
instrumentator: answered after 0 s, measured 1 s
starlette-exporter: answered after 0 s, measured 0 s
END
