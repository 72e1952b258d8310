#!/usr/bin/env bash
# blinker 1.9.0 with Flask 3.1.3, Django 5.2.19 (Python).
#
# Guess: a function that is connected to got_request_exception is called for each request that fails, until it is
# disconnected.
#
# Really: a signal keeps a weak reference. A function that is defined inside of the function that connects it, a lambda
# and a method of an object that nobody keeps are gone as soon as that call is over, and connect() has told of nothing.
# A function of the module stays, and so does what Flask's connect_via() decorates.
#
# Matters: an extension that counts failures in `def init_app(app)`, which is where such code stands, never counts one: each
# canary has a success rate of 100 % by it. Give weak=False.
#
# Seen, of three requests that fail: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python flask==3.1.3 blinker==1.9.0 django==5.2.19 <<'PY'
import collections, logging
import django
import flask
from django.conf import settings
from django.core.signals import got_request_exception as of_django
from django.test import Client
from django.urls import path

logging.disable(logging.CRITICAL)
counts = collections.Counter({name: 0 for name in ("inner", "lambda", "method", "module", "weak=False", "connect_via")})


def module(sender, **more):
    counts["module"] += 1


class Metrics:
    def failed(self, sender, **more):
        counts["method"] += 1


def connect(signal):
    def inner(sender, **more):
        counts["inner"] += 1

    def kept(sender, **more):
        counts["weak=False"] += 1

    signal.connect(inner)
    signal.connect(lambda sender, **more: counts.update(["lambda"]))
    signal.connect(Metrics().failed)
    signal.connect(module)
    signal.connect(kept, weak=False)


def view(*request):
    raise RuntimeError


def connect_via(app):
    @flask.got_request_exception.connect_via(app)
    def failed(sender, **more):
        counts["connect_via"] += 1


app = flask.Flask("app")
app.add_url_rule("/", view_func=view)
connect(flask.got_request_exception)
connect_via(app)
print("Flask:", [app.test_client().get("/").status_code for _ in range(3)], dict(counts))

counts.update({name: -count for name, count in counts.items()})
del counts["connect_via"]
urlpatterns = [path("", view)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
django.setup()
connect(of_django)
print("Django:", [Client(raise_request_exception=False).get("/").status_code for _ in range(3)], dict(counts))
PY
expect <<'END'
Flask: [500, 500, 500] {'inner': 0, 'lambda': 0, 'method': 0, 'module': 3, 'weak=False': 3, 'connect_via': 3}
Django: [500, 500, 500] {'inner': 0, 'lambda': 0, 'method': 0, 'module': 3, 'weak=False': 3}
END
