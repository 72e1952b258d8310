#!/usr/bin/env bash
# Prometheus 2.42.0 (Debian 12).
#
# Guess: `action: labeldrop` of `path` in metric_relabel_configs adds up the series that differ in it alone, or the scrape
# fails.
#
# Really: the first line of the page is kept under the labels that are left, and the others are dropped. `up` is 1,
# scrape_samples_post_metric_relabeling counts all of them, and the log at its usual level says nothing.
#
# Matters: who drops a label for its many values goes on with the counts of one path: failures of the others are in no
# success rate, and a histogram is that of one path. Add up in a recording rule, and leave the label in the scrape.
#
# Seen, for a page with 10 requests of /a, 90 of /b and 900 of /c: see `diff` below.
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
unpack prometheus=2.42.0+ds-5+deb12u1
serve <<'PY'
import http.server

PAGE = b"""# TYPE requests_total counter
requests_total{path="/a"} 10
requests_total{path="/b"} 90
requests_total{path="/c"} 900
"""


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(PAGE)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
print(server.server_port)
server.serve_forever()
PY
cat >"$work/prometheus.yml" <<END
global: {scrape_interval: 1s}
scrape_configs:
- job_name: all
  static_configs: [{targets: ["127.0.0.1:$port"]}]
- job_name: dropped
  static_configs: [{targets: ["127.0.0.1:$port"]}]
  metric_relabel_configs: [{regex: path, action: labeldrop}]
END
WORK="$work" python3 - <<'PY' | tee "$work/seen"
import json
import os
import socket
import subprocess
import time
import urllib.parse
import urllib.request

work = os.environ["WORK"]
with socket.create_server(("127.0.0.1", 0)) as server:
    address = f"127.0.0.1:{server.getsockname()[1]}"
with open(f"{work}/log", "w") as log:
    prometheus = subprocess.Popen(
        ["prometheus", f"--config.file={work}/prometheus.yml", f"--storage.tsdb.path={work}/data", f"--web.listen-address={address}"], stderr=log
    )


def ask(query):
    with urllib.request.urlopen(f"http://{address}/api/v1/query?" + urllib.parse.urlencode({"query": query})) as answer:
        return sorted((series["metric"]["job"], series["value"][1]) for series in json.load(answer)["data"]["result"])


def asked(query, many):
    for _ in range(300):
        try:
            if len(found := ask(query)) == many:
                return found
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(query)


try:
    asked("requests_total", 4)
    for query in ("sum by (job) (requests_total)", "up", "scrape_samples_post_metric_relabeling"):
        print(query, *(f"{job}: {value}" for job, value in asked(query, 2)))
    with open(f"{work}/log") as log:
        print("lines of the log about it:", sum("uplicate" in line for line in log))
finally:
    prometheus.terminate()
PY
diff "$work/seen" - <<'END'
sum by (job) (requests_total) all: 1000 dropped: 10
up all: 1 dropped: 1
scrape_samples_post_metric_relabeling all: 3 dropped: 3
lines of the log about it: 0
END
