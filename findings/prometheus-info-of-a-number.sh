#!/usr/bin/env bash
# prometheus_client 0.26.0 (Python).
#
# Guess: Info("build", "...").info({"version": 42}) is version="42", as labels() turns its values into text, or is refused
# there.
#
# Really: it is taken, and from then on the page of metrics cannot be written at all: generate_latest() raises for each
# scrape, and what serves it answers 500.
#
# Matters: a release that hands its build number on as a number has no metrics of any kind: "no values found" for a canary
# that is healthy, and it is rolled back. Its tests pass, unless one of them asks for /metrics. Write str(number).
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python prometheus_client==0.26.0 <<'PY'
import io, sys, urllib.error, urllib.request
from prometheus_client import CollectorRegistry, Counter, Info, start_http_server

registry = CollectorRegistry()
Counter("requests", "Requests", ["code"], registry=registry).labels(200).inc()
build = Info("build", "What runs", registry=registry)
server, _ = start_http_server(0, "127.0.0.1", registry)
server.RequestHandlerClass.log_message = lambda *arguments: None
sys.stderr = io.StringIO()
for version in ("42", 42):
    print("info:", build.info({"version": version}))
    try:
        page = urllib.request.urlopen(f"http://127.0.0.1:{server.server_address[1]}/metrics").read().decode()
        print("page has requests_total:", "requests_total{" in page, "build_info:", "build_info{" in page)
    except urllib.error.HTTPError as error:
        print("page:", error.code)
server.shutdown()
PY
expect <<'END'
info: None
page has requests_total: True build_info: True
info: None
page: 500
END
