#!/usr/bin/env bash
# kubernetes 37.0.2 (Python).
#
# Guess: kubernetes.utils.create_from_yaml makes what `kubectl create -f` makes, custom resources too, or refuses the file.
#
# Really: it looks for a Python class with the name of the group. For a Canary or an HTTPRoute that ends in an AttributeError
# which names neither, after the objects above it in the file were made.
#
# Matters: a script that installs an application with its Canary leaves half of it behind, so that the application runs and
# is not guarded. Make custom resources with CustomObjectsApi.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python kubernetes==37.0.2 <<'PY'
import http.server
import threading

from kubernetes import client, utils

made = []


class Server(http.server.BaseHTTPRequestHandler):
    """An API server that takes everything."""

    def do_POST(self):
        made.append(self.path)
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(201)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
config = client.Configuration()
config.host = f"http://127.0.0.1:{server.server_port}"
service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}
for version, kind in (("flagger.app/v1beta1", "Canary"), ("gateway.networking.k8s.io/v1", "HTTPRoute")):
    made.clear()
    try:
        utils.create_from_yaml(client.ApiClient(config), yaml_objects=[service, {"apiVersion": version, "kind": kind, "metadata": {"name": "web"}}])
        error = "no error"
    except AttributeError as failure:
        error = failure
    print(kind, made, error)
PY
expect <<'END'
Canary ['/api/v1/namespaces/default/services'] module 'kubernetes.client' has no attribute 'FlaggerAppV1beta1Api'
HTTPRoute ['/api/v1/namespaces/default/services'] module 'kubernetes.client' has no attribute 'GatewayNetworkingV1Api'
END
