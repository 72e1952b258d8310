#!/usr/bin/env bash
# django-prometheus 2.5.0 with Django 5.2.19 (Python).
#
# Guess: a view that raises is one request in the histogram of durations, as one that answers is.
#
# Really: it is two in django_http_requests_latency_seconds_by_view_method, one when the exception passes and one when the
# answer 500 does; one in the counters. A streamed answer that breaks off is a 200.
#
# Matters: 5xx / latency count of a canary that fails always is 50 %, and the share of slow requests counts what fails
# double, so that the two sides of a comparison are not measured alike. Two metrics of one page cannot be divided by each
# other here; take django_http_responses_total_by_status_view_method_total for both.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python django-prometheus==2.5.0 Django==5.2.19 prometheus_client==0.26.0 <<'PY'
import logging
import sys
import types

import django
from django.conf import settings

logging.disable()
settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="routes",
    MIDDLEWARE=["django_prometheus.middleware.PrometheusBeforeMiddleware", "django_prometheus.middleware.PrometheusAfterMiddleware"],
)
django.setup()

import prometheus_client
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import path


def works(request):
    return HttpResponse("fine")


def fails(request):
    raise ValueError


def breaks(request):
    def parts():
        yield "first"
        raise ValueError

    return StreamingHttpResponse(parts())


routes = sys.modules["routes"] = types.ModuleType("routes")
routes.urlpatterns = [path(view.__name__, view) for view in (works, fails, breaks)]
client = Client(raise_request_exception=False)
for _ in range(10):
    for view in ("works", "fails", "breaks"):
        answer = client.get(f"/{view}")
        try:
            b"".join(answer)
        except ValueError:
            pass
for family in prometheus_client.REGISTRY.collect():
    for sample in family.samples:
        if sample.name in ("django_http_requests_latency_seconds_by_view_method_count", "django_http_responses_total_by_status_view_method_total"):
            print(sample.name, sample.labels["view"].split(".")[-1], sample.labels.get("status", ""), sample.value)
PY
expect <<'END'
django_http_requests_latency_seconds_by_view_method_count works  10.0
django_http_requests_latency_seconds_by_view_method_count fails  20.0
django_http_requests_latency_seconds_by_view_method_count breaks  10.0
django_http_responses_total_by_status_view_method_total works 200 10.0
django_http_responses_total_by_status_view_method_total fails 500 10.0
django_http_responses_total_by_status_view_method_total breaks 200 10.0
END
