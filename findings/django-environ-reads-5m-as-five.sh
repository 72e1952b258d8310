#!/usr/bin/env bash
# django-environ 0.14.0, against environs 15.2.0 and python-decouple 3.8 (Python).
#
# Guess: env.float() refuses a value with a unit or a comma, as float() does.
#
# Really: it drops all that is no digit, point or minus: "5m" and "abc5" are 5.0, "1h30m" is 130.0, "99,5" is 99.5, and "1e3" is
# 13.0. "1e-05", a number, is refused. env.int() refuses all of them. environs and decouple read what float() reads.
#
# Matters: INTERVAL=1h30m is 130 s, and a limit of 1e3 is 13. A threshold that Python itself wrote, 1e-05, ends the program.
# Use float(env.str(name)).
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python django-environ==0.14.0 environs==15.2.0 python-decouple==3.8 <<'PY'
import os

import decouple
import environ
import environs


def outcome(read):
    try:
        return read()
    except Exception:
        return "refused"


for text in ("99.5", "99,5", "5m", "1h30m", "1e-05", "1e3", "-3", "5%", "abc5", "none"):
    os.environ["LIMIT"] = text
    print(f"{text}: django-environ float {outcome(lambda: environ.Env().float('LIMIT'))}, int {outcome(lambda: environ.Env().int('LIMIT'))},",
          f"environs {outcome(lambda: environs.Env().float('LIMIT'))}, decouple {outcome(lambda: decouple.config('LIMIT', cast=float))},",
          f"float(env.str()) {outcome(lambda: float(environ.Env().str('LIMIT')))}")
PY
expect <<'END'
99.5: django-environ float 99.5, int refused, environs 99.5, decouple 99.5, float(env.str()) 99.5
99,5: django-environ float 99.5, int refused, environs refused, decouple refused, float(env.str()) refused
5m: django-environ float 5.0, int refused, environs refused, decouple refused, float(env.str()) refused
1h30m: django-environ float 130.0, int refused, environs refused, decouple refused, float(env.str()) refused
1e-05: django-environ float refused, int refused, environs 1e-05, decouple 1e-05, float(env.str()) 1e-05
1e3: django-environ float 13.0, int refused, environs 1000.0, decouple 1000.0, float(env.str()) 1000.0
-3: django-environ float -3.0, int -3, environs -3.0, decouple -3.0, float(env.str()) -3.0
5%: django-environ float 5.0, int refused, environs refused, decouple refused, float(env.str()) refused
abc5: django-environ float 5.0, int refused, environs refused, decouple refused, float(env.str()) refused
none: django-environ float refused, int refused, environs refused, decouple refused, float(env.str()) refused
END
