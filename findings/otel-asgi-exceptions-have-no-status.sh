#!/usr/bin/env bash
# opentelemetry-instrumentation-asgi 0.66b2 (PyPI): a request that ends in an exception is counted without a status.
#
# Guess: the server answers 500 to an exception that leaves the application, so the request is counted with status 500, or
# at least with an error_type.
#
# Really: the label is written when the application itself begins its answer. An exception before that is a request without
# http_status_code and without error_type; so is one whose client gave up. (Starlette and FastAPI answer 500 themselves, and
# are counted right; a bare ASGI application, or a middleware outside of them, is not.)
#
# Matters: http_status_code!~"5.." matches a label that is not there: the worst requests count as successes, and a canary
# that fails only like this has a success rate of 100 %. Write http_status_code=~"[1-4].." for the good ones.
#
# Seen, the requests by status:
#   {'200': 1, '503': 1, None: 2}
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
python_packages opentelemetry-instrumentation-asgi==0.66b2 opentelemetry-sdk==1.45.2
PYTHONPATH="$work/python" python3 - <<'PY'
import asyncio
import sys
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader


async def application(scope, receive, send):
    if scope["path"] == "/raises":
        raise RuntimeError("broken")
    if scope["path"] == "/hangs":
        await asyncio.Event().wait()
    await send({"type": "http.response.start", "status": 503 if scope["path"] == "/fails" else 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def get(path, patience=None):
    """As a server does: an exception ends the request, and so does a client that leaves."""
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": [], "scheme": "http", "server": ("app", 80), "client": ("me", 1)}

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        pass

    try:
        await asyncio.wait_for(instrumented(scope, receive, send), patience)
    except (RuntimeError, asyncio.TimeoutError):
        pass


async def requests():
    for path in ("/fine", "/fails", "/raises"):
        await get(path)
    await get("/hangs", patience=0.2)


reader = InMemoryMetricReader()
instrumented = OpenTelemetryMiddleware(application, meter_provider=MeterProvider(metric_readers=[reader]))
asyncio.run(requests())
metrics = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
durations = next(metric for metric in metrics if metric.name == "http.server.duration").data.data_points
counts = {}
for point in durations:
    assert "error.type" not in point.attributes
    status = point.attributes.get("http.status_code")
    counts[status and str(status)] = counts.get(status and str(status), 0) + point.count
print(counts)
sys.exit(counts != {"200": 1, "503": 1, None: 2})
PY
