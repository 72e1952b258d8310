"""Graphite's web application in this process, over Whisper files of its own, for the scripts beside this folder."""

import json
import os
import sys
import time
import types

import setuptools  # noqa: F401  brings distutils back where Python has dropped it


class Undrawn(types.ModuleType):
    """Stands in for the library that draws: it is imported, and not used for JSON."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return name


STORAGE = os.path.join(os.environ["WORK"], "storage")
for folder in ("whisper", os.path.join("log", "webapp")):
    os.makedirs(os.path.join(STORAGE, folder))
os.environ.update(GRAPHITE_STORAGE_DIR=STORAGE, DJANGO_SETTINGS_MODULE="graphite.settings")
sys.modules["cairocffi"] = Undrawn("cairocffi")

import django  # noqa: E402
import whisper  # noqa: E402
from django.conf import settings  # noqa: E402

django.setup()
settings.ALLOWED_HOSTS = ["*"]

from django.test import Client  # noqa: E402

STEP = 10
START = int(time.time()) // 3600 * 3600 - 3600
"""A full hour in the past: the time of the first value of each series."""


def store(path, *values):
    """One value each 10 s; None is a gap."""
    file = os.path.join(STORAGE, "whisper", *path.split(".")) + ".wsp"
    os.makedirs(os.path.dirname(file), exist_ok=True)
    whisper.create(file, [(STEP, 3600)])
    for index, value in enumerate(values):
        if value is not None:
            whisper.update(file, value, START + index * STEP)


def render(target, begin, end):
    """By name the values of each series in the seconds (begin, end] since the first value."""
    asked = {"target": target, "format": "json", "noCache": "true", "from": START + begin, "until": START + end}
    answer = Client().get("/render", asked)
    if answer.status_code != 200:
        return answer.status_code
    return {series["target"]: [value for value, _ in series["datapoints"]] for series in json.loads(answer.content)}


def check(**seen):
    """Prints what was seen; `name=(seen, expected)`. Ends with status 1 if one differs."""
    changed = False
    for name, (value, expected) in seen.items():
        changed |= value != expected
        print(f"{name}: {value}" + ("" if value == expected else f", expected {expected}"))
    if changed:
        sys.exit("the behaviour has changed")
