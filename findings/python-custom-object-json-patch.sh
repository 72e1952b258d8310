#!/usr/bin/env bash
# kubernetes 37.0.2 (Python).
#
# Guess: a list of operations given to patch_namespaced_custom_object() is sent as a JSON patch, since the same list
# given to patch_namespaced_deployment() is.
#
# Really: for custom objects the content type is application/merge-patch+json whatever the body is. A merge patch that
# is a list replaces the whole object by a list (RFC 7396), which the API server refuses.
#
# Matters: a bot that pauses or retries Canaries by a JSON patch fails, although its Deployments work. Say
# `_content_type="application/json-patch+json"`.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python kubernetes==37.0.2 <<'PY'
import http.server
import json
import threading

from kubernetes import client


class Server(http.server.BaseHTTPRequestHandler):
    def do_PATCH(self):
        self.rfile.read(int(self.headers["content-length"]))
        print(self.path.split("/")[-2], self.headers["content-type"])
        body = {"spec": {"selector": {}, "template": {"spec": {"containers": [{"name": "c"}]}}}}
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
api = client.ApiClient(client.Configuration(host=f"http://127.0.0.1:{server.server_port}"))
patch = [{"op": "add", "path": "/spec/suspend", "value": True}]
client.AppsV1Api(api).patch_namespaced_deployment("a", "d", patch)
custom = ("flagger.app", "v1beta1", "d", "canaries", "a", patch)
client.CustomObjectsApi(api).patch_namespaced_custom_object(*custom)
client.CustomObjectsApi(api).patch_namespaced_custom_object(*custom, _content_type="application/json-patch+json")
PY
expect <<'END'
deployments application/json-patch+json
canaries application/merge-patch+json
canaries application/json-patch+json
END
