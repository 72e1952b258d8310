#!/usr/bin/env bash
# prometheus-fastapi-instrumentator 8.1.0, starlette-exporter 0.24.0, django-prometheus 2.5.0 (Python), fastify-metrics
# 14.1.0 (JavaScript), against prometheus-flask-exporter 0.23.2 and express-prom-bundle 8.0.0.
#
# Guess: the scrapes of /metrics are not among the requests that are counted there.
#
# Really: four of the six count them, with their duration and as successes. All six count the probes of the kubelet.
#
# Matters: a canary that no user has asked, because no traffic arrives, has requests all the same, of its scraper and of its
# probes: a success rate of 100 % and a p99 of some milliseconds, where "no data" would have stopped the release. With
# little traffic they dilute failures: five failures of ten requests are 75 % successes beside ten probes. Leave these paths
# out in the library, or in the query.
#
# Seen, after ten scrapes and ten probes: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python prometheus-fastapi-instrumentator==8.1.0 starlette-exporter==0.24.0 fastapi==0.165.0 httpx==0.28.1 \
  django-prometheus==2.5.0 Django==5.2.19 prometheus-flask-exporter==0.23.2 Flask==3.1.3 prometheus_client==0.26.0 <<'PY'
import logging
import sys
import types
import warnings

logging.disable()
warnings.simplefilter("ignore")
import django
import flask
import prometheus_client
import prometheus_flask_exporter
from django.conf import settings
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_fastapi_instrumentator import Instrumentator
from starlette_exporter import PrometheusMiddleware, handle_metrics

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="routes",
    INSTALLED_APPS=["django_prometheus"],
    MIDDLEWARE=["django_prometheus.middleware.PrometheusBeforeMiddleware", "django_prometheus.middleware.PrometheusAfterMiddleware"],
)
django.setup()
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

routes = sys.modules["routes"] = types.ModuleType("routes")
routes.urlpatterns = [path("", include("django_prometheus.urls")), path("healthz", lambda request: HttpResponse("ok"))]
fast, star, flasks = FastAPI(), FastAPI(), flask.Flask("seen")
Instrumentator().instrument(fast).expose(fast)
star.add_middleware(PrometheusMiddleware)
star.add_route("/metrics", handle_metrics)
prometheus_flask_exporter.PrometheusMetrics(flasks)
for app in (fast, star):
    app.get("/healthz")(lambda: "ok")
flasks.get("/healthz")(lambda: "ok")
clients = {
    "instrumentator": (TestClient(fast), "http_request_duration_seconds_count"),
    "starlette-exporter": (TestClient(star), "starlette_request_duration_seconds_count"),
    "django-prometheus": (Client(), "django_http_requests_latency_seconds_by_view_method_count"),
    "flask-exporter": (flasks.test_client(), "flask_http_request_duration_seconds_count"),
}
for name, (client, metric) in clients.items():
    for _ in range(10):
        client.get("/metrics")
        client.get("/healthz")
    counted = [sample for family in prometheus_client.REGISTRY.collect() for sample in family.samples if sample.name == metric]
    scrapes = sum(one.value for one in counted if "metrics" in str(one.labels))
    print(f"{name}: scrapes counted {scrapes:.0f}, probes {sum(one.value for one in counted) - scrapes:.0f}")
PY
with_node express@5.3.0 express-prom-bundle@8.0.0 fastify@5.12.8 fastify-metrics@14.1.0 prom-client@15.1.3 <<'JS'
import express from "express";
import bundle from "express-prom-bundle";
import Fastify from "fastify";
import metrics from "fastify-metrics";

const counted = async (name, port) => {
  const get = async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  for (let i = 0; i < 10; i++) {
    await get("/metrics");
    await get("/healthz");
  }
  const page = await get("/metrics");
  const sum = (path) => [...page.matchAll(/^http_request_duration_seconds_count{(.*)} (\d+)/gm)].reduce((all, [, labels, count]) => (labels.includes(`"${path}"`) ? all + +count : all), 0);
  console.log(`${name}: scrapes counted ${sum("/metrics")}, probes ${sum("/healthz")}`);
};
const app = express();
app.use(bundle({ includePath: true }));
app.get("/healthz", (request, response) => response.send("ok"));
const server = await new Promise((done) => {
  const listening = app.listen(0, "127.0.0.1", () => done(listening));
});
await counted("express-prom-bundle", server.address().port);
const fastify = Fastify();
await fastify.register(metrics, { endpoint: "/metrics" });
fastify.get("/healthz", async () => "ok");
await fastify.listen({ port: 0, host: "127.0.0.1" });
await counted("fastify-metrics", fastify.server.address().port);
process.exit(0);
JS
expect <<'END'
instrumentator: scrapes counted 10, probes 10
starlette-exporter: scrapes counted 10, probes 10
django-prometheus: scrapes counted 10, probes 10
flask-exporter: scrapes counted 0, probes 10
express-prom-bundle: scrapes counted 0, probes 10
fastify-metrics: scrapes counted 10, probes 10
END
