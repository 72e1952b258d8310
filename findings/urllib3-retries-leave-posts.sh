#!/usr/bin/env bash
# urllib3 2.8.0 with requests 2.34.2 (Python).
#
# Guess: Retry(total=3, status_forcelist=[503]) asks again after a 503, whatever the method, and after the last time the
# caller gets the answer 503.
#
# Really: a POST and a PATCH are asked once, without a word, and the caller gets the 503. A GET is asked four times and ends
# in a RetryError instead of an answer. With allowed_methods=None all end like that.
#
# Matters: a webhook in Python that posts to a gate, or patches a Canary through a gateway that restarts, loses the call
# that its retries were to save; and code that looks at status_code never sees the 503 of a GET. Give allowed_methods, and
# raise_on_status=False.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python urllib3==2.8.0 requests==2.34.2 <<'PY'
import http.server
import threading

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

asked = []


class Busy(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked.append(self.command)
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PUT = do_POST = do_PATCH = answer

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
threading.Thread(target=server.serve_forever, daemon=True).start()
for name, options in (("as it is", {}), ("allowed_methods=None", {"allowed_methods": None})):
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=Retry(total=3, status_forcelist=[503], **options)))
    for method in ("GET", "PUT", "POST", "PATCH"):
        asked.clear()
        try:
            ended = session.request(method, f"http://127.0.0.1:{server.server_port}/").status_code
        except requests.exceptions.RetryError:
            ended = "RetryError"
        print(f"{name}: {method} asked {len(asked)}, ends in {ended}")
PY
expect <<'END'
as it is: GET asked 4, ends in RetryError
as it is: PUT asked 4, ends in RetryError
as it is: POST asked 1, ends in 503
as it is: PATCH asked 1, ends in 503
allowed_methods=None: GET asked 4, ends in RetryError
allowed_methods=None: PUT asked 4, ends in RetryError
allowed_methods=None: POST asked 4, ends in RetryError
allowed_methods=None: PATCH asked 4, ends in RetryError
END
