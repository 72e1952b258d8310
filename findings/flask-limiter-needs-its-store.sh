#!/usr/bin/env bash
# Flask-Limiter 4.1.1 with redis 8.1.0 (Python).
#
# Guess: where the store of the counts is down, requests are let through, since a limit is there for too many of them.
#
# Really: each request is a 500, also one for /healthz, since default_limits are those of all views. With
# swallow_errors=True none is limited; with in_memory_fallback_enabled=True each process counts by itself, with the same
# limits.
#
# Matters: a Redis that is started again makes each request of both versions a failure and takes all pods out of their
# Services, in the middle of an analysis that rolls a good canary back. Give the fallback, and exempt() for probes and for
# /metrics.
#
# Seen, of four requests with a limit of two a minute: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python Flask-Limiter==4.1.1 flask==3.1.3 limits==5.8.0 redis==8.1.0 <<'PY'
import logging, socket
import flask
import flask_limiter
from flask_limiter.util import get_remote_address

logging.disable(logging.CRITICAL)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    nobody = free.getsockname()[1]


def ask(what, uri, **options):
    app = flask.Flask("app")
    limiter = flask_limiter.Limiter(get_remote_address, app=app, default_limits=["2 per minute"], storage_uri=uri, **options)

    @app.get("/healthz")
    def healthz():
        return "ok"

    @app.get("/exempt")
    @limiter.exempt
    def exempt():
        return "ok"

    client = app.test_client()
    for path in ("/healthz", "/exempt"):
        print(f"{what}, {path}: {[client.get(path).status_code for _ in range(4)]}")


down = f"redis://127.0.0.1:{nobody}"
ask("in memory", "memory://")
ask("no Redis", down)
ask("no Redis, swallow_errors", down, swallow_errors=True)
ask("no Redis, in_memory_fallback_enabled", down, in_memory_fallback_enabled=True)
PY
expect <<'END'
in memory, /healthz: [200, 200, 429, 429]
in memory, /exempt: [200, 200, 200, 200]
no Redis, /healthz: [500, 500, 500, 500]
no Redis, /exempt: [200, 200, 200, 200]
no Redis, swallow_errors, /healthz: [200, 200, 200, 200]
no Redis, swallow_errors, /exempt: [200, 200, 200, 200]
no Redis, in_memory_fallback_enabled, /healthz: [200, 200, 429, 429]
no Redis, in_memory_fallback_enabled, /exempt: [200, 200, 200, 200]
END
