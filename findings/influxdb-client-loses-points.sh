#!/usr/bin/env bash
# influxdb-client 1.50.0 (Python).
#
# Guess: write() of a point that the server refuses raises, and so does a value that InfluxDB cannot store, NaN.
#
# Really: write() puts the point into a batch, and returns. That the server refuses it, for a wrong token, is a line in the
# log of another thread; the end of `with client.write_api() as api` does not raise it either. A field that is NaN or
# infinite is left out, and a point without another field is not sent. With SYNCHRONOUS a refusal is raised; NaN is left out
# as well.
#
# Matters: a Job that writes its measurements for a MetricTemplate of type influxdb succeeds and has written nothing: the
# check is no data, or the newest value is the one before the gap. Write with SYNCHRONOUS, and look for NaN before.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python influxdb-client==1.50.0 2>/dev/null <<'PY'
import http.server
import math
import threading

from influxdb_client import InfluxDBClient, Point
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

asked = []


class Refuses(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
threading.Thread(target=server.serve_forever, daemon=True).start()
point = Point("requests").field("success", 99.5)
with InfluxDBClient(f"http://127.0.0.1:{server.server_port}", "wrong", org="org") as client:
    for name, options in (("batches", {}), ("SYNCHRONOUS", {"write_options": SYNCHRONOUS})):
        asked.clear()
        try:
            with client.write_api(**options) as api:
                api.write("bucket", record=point)
            print(f"{name}: no error, {len(asked)} refused")
        except ApiException as error:
            print(f"{name}: raised {error.status}, {len(asked)} refused")
for value in (99.5, math.nan, math.inf):
    alone = Point("requests").field("success", value)
    print(f"{value}: {alone.to_line_protocol()!r}, beside another {alone.field('all', 10).to_line_protocol()!r}")
PY
expect <<'END'
batches: no error, 1 refused
SYNCHRONOUS: raised 401, 1 refused
99.5: 'requests success=99.5', beside another 'requests all=10i,success=99.5'
nan: '', beside another 'requests all=10i'
inf: '', beside another 'requests all=10i'
END
