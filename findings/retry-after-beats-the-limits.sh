#!/usr/bin/env bash
# kubernetes 37.0.2 (Python), with urllib3 2.8.0 below it.
#
# Guess: an answer 429 or 503 of the API server is an ApiException at once, and `_request_timeout=1` ends every call
# within about a second.
#
# Really: if the answer has Retry-After, the call sleeps for as long as it says, outside of the timeout, and asks again,
# up to three times. With "Retry-After: 1" a call with a timeout of 1 s takes 3 s; with 60 it takes three minutes.
# That holds for GET, PUT and DELETE. A PATCH fails at once.
#
# Matters: the API server answers so under load (priority and fairness). A webhook of a Canary in Python then answers
# long after its deadline, which counts as a failure, while its patches are lost without another try. Give
# `Configuration.retries` a urllib3 Retry with respect_retry_after_header=False.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python kubernetes==37.0.2 urllib3==2.8.0 <<'PY'
import http.server
import threading
import time

import urllib3
from kubernetes import client

asked = 0


class Busy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global asked
        asked += 1
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(429)
        self.send_header("retry-after", "1")
        self.send_header("content-length", "0")
        self.end_headers()

    do_PUT = do_DELETE = do_PATCH = do_GET

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
threading.Thread(target=server.serve_forever, daemon=True).start()


def api(**fields):
    configuration = client.Configuration()
    configuration.host = f"http://127.0.0.1:{server.server_port}"
    for name, value in fields.items():
        setattr(configuration, name, value)
    return client.CustomObjectsApi(client.ApiClient(configuration))


def call(name, function):
    global asked
    asked, began = 0, time.monotonic()
    try:
        function()
    except client.ApiException as error:
        print(f"{name}: {error.status} after {time.monotonic() - began:.0f} s and {asked} requests")


which = ("flagger.app", "v1beta1", "test", "canaries", "app")
call("get", lambda: api().get_namespaced_custom_object(*which, _request_timeout=1))
call("replace", lambda: api().replace_namespaced_custom_object(*which, {}, _request_timeout=1))
call("delete", lambda: api().delete_namespaced_custom_object(*which, _request_timeout=1))
call("patch", lambda: api().patch_namespaced_custom_object(*which, {}, _request_timeout=1))
patient = urllib3.Retry(3, respect_retry_after_header=False)
call("get without the header", lambda: api(retries=patient).get_namespaced_custom_object(*which, _request_timeout=1))
PY
expect <<'END'
get: 429 after 3 s and 4 requests
replace: 429 after 3 s and 4 requests
delete: 429 after 3 s and 4 requests
patch: 429 after 0 s and 1 requests
get without the header: 429 after 0 s and 1 requests
END
