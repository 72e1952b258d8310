#!/usr/bin/env bash
# kubernetes 37.0.2 (Python), watch.Watch.
#
# Guess: `for event in Watch().stream(list_…)` goes on for ever: when the API server closes a watch, as it does after half
# an hour or an hour, it asks again.
#
# Really: it asks again if there has been an event, from the version of that on. If there has been none, as with no object
# in the namespace, the loop ends with the first watch, without an error. An error 410 before the first event ends it
# the same way, one after it is an ApiException.
#
# Matters: a bot or an operator that follows the Canaries of a new namespace, or Secrets by a selector, is through after an
# hour, with exit status 0, and sees the first Canary never. Put `while True` around it, or list first and give the
# resourceVersion.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python kubernetes==37.0.2 urllib3==2.8.0 <<'PY'
import http.server
import json
import threading

from kubernetes import client, watch

EVENT = {"type": "ADDED", "object": {"kind": "Canary", "metadata": {"name": "app", "resourceVersion": "7"}}}
GONE = {"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "code": 410, "reason": "Expired", "message": "too old"}}
answers, asked = [], []


class Server(http.server.BaseHTTPRequestHandler):
    """Each watch gets the next of `answers` and is closed."""

    def do_GET(self):
        asked.append("from 7" if "resourceVersion=7" in self.path else "from now")
        self.send_response(200 if len(asked) <= len(answers) else 500)
        self.send_header("content-type", "application/json")
        self.end_headers()
        for event in answers[len(asked) - 1] if len(asked) <= len(answers) else ():
            self.wfile.write(json.dumps(event).encode() + b"\n")

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
configuration = client.Configuration()
configuration.host = f"http://127.0.0.1:{server.server_port}"
api = client.CustomObjectsApi(client.ApiClient(configuration))
for name, answers in {"no object": [[]], "one object": [[EVENT], []], "410 at first": [[GONE]], "410 later": [[EVENT], [GONE], [GONE]]}.items():
    asked.clear()
    try:
        for _ in watch.Watch().stream(api.list_namespaced_custom_object, "flagger.app", "v1beta1", "test", "canaries"):
            pass
        end = "the loop ended"
    except client.ApiException as error:
        end = f"ApiException {error.status}"
    print(f"{name}: asked {', '.join(asked)}: {end}")
PY
expect <<'END'
no object: asked from now: the loop ended
one object: asked from now, from 7, from 7: ApiException 500
410 at first: asked from now: the loop ended
410 later: asked from now, from 7, from 7: ApiException 410
END
