#!/usr/bin/env bash
# datadog 0.52.1 (Python), datadog.api.
#
# Guess: api.Metric.query() raises where it gets no answer: a wrong key, too many requests, a server that cannot be reached.
#
# Really: it returns these as a dictionary with `errors` and without `series`; a 500 it raises. With initialize(mute=False)
# all of them are raised.
#
# Matters: `sum(point for series in answer.get("series", []) …)` is 0 failures for a key that has run out, and a gate or a
# Job that compares it with a limit passes each canary from then on. Give mute=False.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python datadog==0.52.1 <<'PY'
import http.server
import threading

import datadog


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"errors": ["no"]}'
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def ask(name):
    try:
        answer = datadog.api.Metric.query(start=1, end=2, query="sum:requests.failed{version:canary}")
        print(f"{name}: returned {sorted(answer)}, failures {sum(len(s['pointlist']) for s in answer.get('series', []))}")
    except Exception as error:
        print(f"{name}: raised {type(error).__name__}")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
threading.Thread(target=server.serve_forever, daemon=True).start()
for mute in (True, False):
    datadog.initialize(api_key="key", app_key="key", api_host=f"http://127.0.0.1:{server.server_port}", mute=mute)
    for status in (403, 429, 500):
        ask(f"mute={mute} {status}")
    datadog.initialize(api_key="key", app_key="key", api_host="http://127.0.0.1:1", mute=mute)
    ask(f"mute={mute} nobody there")
PY
expect <<'END'
mute=True 403: returned ['errors'], failures 0
mute=True 429: returned ['errors'], failures 0
mute=True 500: raised HTTPError
mute=True nobody there: returned ['errors'], failures 0
mute=False 403: raised ApiError
mute=False 429: raised ApiError
mute=False 500: raised HTTPError
mute=False nobody there: raised ClientError
END
