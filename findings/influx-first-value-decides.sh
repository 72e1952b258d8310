#!/usr/bin/env bash
# influxdb-client 1.50.0 (Python) and InfluxDB 1.6.7 (Debian 12).
#
# Guess: a field is a number, and whether its first value was 100 or 99.5 does not matter.
#
# Really: the client writes int as an integer and float as a float, the first value decides for the field, and the server
# refuses all others with 400. A NaN is not written at all.
#
# Matters: a success rate that is 100 while all is well, as Python's round() gives it, and 99.5 when it is not, loses just
# the bad values: the newest value that a check of a canary finds is the last good one. The batching writer of the client
# tells of it in its log only. Write float(x).
#
# Seen: see the comparison below.
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
unpack 'influxdb=1.6.7~rc0-1+b13'
python_packages influxdb-client==1.50.0
WORK=$work PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$work/python python3 - <<'PY' | tee "$work/seen"
import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from influxdb_client import Point

work = os.environ["WORK"]


def free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


port = free()
with open(f"{work}/influxdb.conf", "w") as file:
    file.write(f"""
reporting-disabled = true
bind-address = "127.0.0.1:{free()}"
[meta]
dir = "{work}/meta"
[data]
dir = "{work}/data"
wal-dir = "{work}/wal"
[http]
bind-address = "127.0.0.1:{port}"
""")


def ask(path, body, **arguments):
    try:
        url = f"http://127.0.0.1:{port}/{path}?{urllib.parse.urlencode(arguments)}"
        return urllib.request.urlopen(url, data=body.encode(), timeout=10).read()
    except urllib.error.HTTPError as error:
        return f"{error.code} {re.search('is type .*', json.load(error)['error']).group()}"


server = subprocess.Popen([f"{work}/usr/bin/influxd", "-config", f"{work}/influxdb.conf"], stderr=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            ask("query", "", q="CREATE DATABASE canary")
            break
        except OSError:
            time.sleep(0.1)
    for second, value in enumerate((100, 99.5, 50.0, round(98.2), float("nan"))):
        line = Point("success").field("rate", value).time(second).to_line_protocol()
        print(value, "|", line, "|", ask("write", line, db="canary", precision="s") or "stored" if line else "nothing to write")
    stored = json.loads(ask("query", "", db="canary", q="SELECT rate FROM success", epoch="s"))
    print("stored:", stored["results"][0]["series"][0]["values"])
finally:
    server.terminate()
    server.wait()
PY
diff "$work/seen" - <<'END'
100 | success rate=100i 0 | stored
99.5 | success rate=99.5 1 | 400 is type float, already exists as type integer dropped=1
50.0 | success rate=50 2 | 400 is type float, already exists as type integer dropped=1
98 | success rate=98i 3 | stored
nan |  | nothing to write
stored: [[0, 100], [3, 98]]
END
