#!/usr/bin/env bash
# pydantic 2.14.4, Django 5.2.19, pytimeparse 1.1.10, pandas 3.1.1 (Python).
#
# Guess: "01:30" is the same duration for all that take it, "30" too, and P1M is a month or refused.
#
# Really: "01:30" is 90 minutes for pydantic and 90 seconds for Django and pytimeparse. "30" is 30 seconds for Django, 30
# nanoseconds for pandas, and refused by the others. P1M is 30 days for pydantic and a minute for pandas.
#
# Matters: an interval or a limit that one program of a pipeline checks and another one uses is sixty times as long, or
# nothing. Write a number with its unit, as 90s, and give ISO 8601 its T: PT1M.
#
# Seen, in seconds: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python pydantic==2.14.4 Django==5.2.19 pytimeparse==1.1.10 pandas==3.1.1 <<'PY'
from datetime import timedelta

import pandas
import pytimeparse
from django.utils.dateparse import parse_duration
from pydantic import TypeAdapter

readers = {"pydantic": TypeAdapter(timedelta).validate_python, "Django": parse_duration, "pytimeparse": pytimeparse.parse, "pandas": pandas.Timedelta}


def read(reader, text):
    try:
        value = reader(text)
    except ValueError:
        return "refused"
    if value is None:
        return "refused"
    return f"{value.total_seconds() if isinstance(value, timedelta) else value:.9g}" if text != "30" or reader is not pandas.Timedelta else f"{value.value} ns"


for text in ("01:30", "01:30:00", "30", "PT1M", "P1M", "90s"):
    print(text, *(f"{name}: {read(reader, text)}" for name, reader in readers.items()))
PY
expect <<'END'
01:30 pydantic: 5400 Django: 90 pytimeparse: 90 pandas: refused
01:30:00 pydantic: 5400 Django: 5400 pytimeparse: 5400 pandas: 5400
30 pydantic: refused Django: 30 pytimeparse: refused pandas: 30 ns
PT1M pydantic: 60 Django: 60 pytimeparse: refused pandas: 60
P1M pydantic: 2592000 Django: refused pytimeparse: refused pandas: 60
90s pydantic: refused Django: refused pytimeparse: 90 pandas: 90
END
