#!/usr/bin/env bash
# prometheus-flask-exporter 0.23.2, django-prometheus 2.5.0, prometheus-fastapi-instrumentator 8.1.0 and
# starlette-exporter 0.24.0 (Python).
#
# Guess: the duration of an answer that is streamed ends with its last byte, and one that breaks off in the middle, since
# the generator has raised, is a failure.
#
# Really: for Flask and Django the request is over when the view has returned the generator: a 200 of no time, whatever
# happens then. fastapi-instrumentator measures to the end, and counts what broke off as 2xx. starlette-exporter counts it
# as 500, with the time to the first byte as its duration. The counters of exceptions of Flask and Django stay at 0.
#
# Matters: a canary that streams its answers, such as a report or the tokens of a model, and breaks off each of them has a
# success rate of 100 % and gets no slower by its own metrics. Count in the generator, or judge by a proxy.
#
# Seen, of answers of half a second: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python prometheus-flask-exporter==0.23.2 django-prometheus==2.5.0 prometheus-fastapi-instrumentator==8.1.0 starlette-exporter==0.24.0 \
  flask==3.1.3 django==5.2.19 starlette==1.10.0 prometheus_client==0.26.0 <<'PY'
import asyncio, logging, time
import django
import flask
from django.conf import settings
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import path
from prometheus_client import REGISTRY
from prometheus_fastapi_instrumentator import Instrumentator
from prometheus_flask_exporter import PrometheusMetrics
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette_exporter import PrometheusMiddleware

logging.disable(logging.CRITICAL)
breaks = False


def parts():
    yield b"a"
    time.sleep(0.5)
    if breaks:
        raise RuntimeError
    yield b"b"


async def parts_later():
    yield b"a"
    await asyncio.sleep(0.5)
    if breaks:
        raise RuntimeError
    yield b"b"


def told(library, counter, label, seconds):
    """What has been added since the last call."""
    now = {}
    for metric in REGISTRY.collect():
        for sample in metric.samples:
            if sample.name == counter:
                now[sample.labels[label]] = now.get(sample.labels[label], 0) + sample.value
            if sample.name == seconds:
                now["s"] = now.get("s", 0) + sample.value
    before = seen.get(library, {})
    status = [key for key in now if key != "s" and now[key] > before.get(key, 0)]
    end = "breaks off" if breaks else "is whole"
    took = "half a second" if now["s"] - before.get("s", 0) > 0.45 else "less"
    print(f"{library}, {end}: {', '.join(status)}, {took}")
    seen[library] = now


def consume(answer):
    try:
        b"".join(answer)
    except RuntimeError:
        pass


async def consume_asgi(app):
    async def receive():
        await asyncio.sleep(0 if asked.pop() else 10)
        return {"type": "http.request"}

    async def send(message):
        pass

    asked = [False, True]
    scope = {"type": "http", "asgi": {"spec_version": "2.4"}, "method": "GET", "path": "/", "query_string": b"", "headers": []}
    try:
        await app(scope, receive, send)
    except RuntimeError:
        pass


seen = {}
of_flask = flask.Flask("app")
PrometheusMetrics(of_flask, registry=REGISTRY)
of_flask.add_url_rule("/", view_func=lambda: flask.Response(parts()))
middleware = [f"django_prometheus.middleware.Prometheus{which}Middleware" for which in ("Before", "After")]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=middleware)
django.setup()
urlpatterns = [path("", lambda request: StreamingHttpResponse(parts()))]


def starlette():
    return Starlette(routes=[Route("/", lambda request: StreamingResponse(parts_later()))])


instrumented, exported = starlette(), starlette()
Instrumentator().instrument(instrumented)
exported.add_middleware(PrometheusMiddleware)
for breaks in (False, True):
    consume(of_flask.test_client().get("/").iter_encoded())
    told("Flask", "flask_http_request_total", "status", "flask_http_request_duration_seconds_sum")
    consume(Client().get("/").streaming_content)
    told("Django", "django_http_responses_total_by_status_total", "status", "django_http_requests_latency_including_middlewares_seconds_sum")
    asyncio.run(consume_asgi(instrumented))
    told("fastapi-instrumentator", "http_requests_total", "status", "http_request_duration_seconds_sum")
    asyncio.run(consume_asgi(exported))
    told("starlette-exporter", "starlette_requests_total", "status_code", "starlette_request_duration_seconds_sum")
exceptions = [sample.value for metric in REGISTRY.collect() for sample in metric.samples if "exceptions" in sample.name and sample.name.endswith("_total")]
print("exceptions:", sum(exceptions))
PY
expect <<'END'
Flask, is whole: 200, less
Django, is whole: 200, less
fastapi-instrumentator, is whole: 2xx, half a second
starlette-exporter, is whole: 200, half a second
Flask, breaks off: 200, less
Django, breaks off: 200, less
fastapi-instrumentator, breaks off: 2xx, half a second
starlette-exporter, breaks off: 500, less
exceptions: 0
END
