#!/usr/bin/env bash
# pykube-ng 23.6.0 (Python).
#
# Guess: update() of an object from which a label or a container was deleted sends the deletion, or writes the object as it is.
#
# Really: it puts what was deleted back from the copy that was read first, lists by position, and sends the sum as a merge patch:
# the label is still there, and so is the second container. update(is_strategic=False) sends the list without the container, but
# a merge patch that only leaves a label out does not remove it at the API server. A label that is set to None goes.
#
# Matters: a bot that takes the hold off a Deployment by deleting its label, or a side container out of it, gets no error and
# changes nothing. Set labels to None and use is_strategic=False, or patch().
#
# Seen, of the patch that is sent: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python pykube-ng==23.6.0 <<'PY'
import http.server
import json
import threading

import pykube

LIVE = {
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web", "hold": "yes"}},
    "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:1"}, {"name": "side", "image": "side:1"}]}}},
}


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if body:
            patch = json.loads(body)
            pods = patch["spec"]["template"]["spec"]
            print(f"  {self.command} {self.headers['content-type']}:")
            print("  labels", patch["metadata"]["labels"])
            print("  containers", [container["image"] for container in pods["containers"]])
        answer = json.dumps(LIVE).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_PATCH = do_PUT = do_GET

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
api = pykube.HTTPClient(pykube.KubeConfig.from_url(f"http://127.0.0.1:{server.server_address[1]}"))
for name, value, options in (("deleted", False, {}), ("deleted, not strategic", False, {"is_strategic": False}), ("set to None", True, {})):
    deployment = pykube.Deployment.objects(api).filter(namespace="shop").get(name="web")
    if value:
        deployment.labels["hold"] = None
    else:
        del deployment.labels["hold"]
    del deployment.obj["spec"]["template"]["spec"]["containers"][1]
    print(f"{name}:")
    deployment.update(**options)
PY
expect <<'END'
deleted:
  PATCH application/merge-patch+json:
  labels {'app': 'web', 'hold': 'yes'}
  containers ['web:1', 'side:1']
deleted, not strategic:
  PATCH application/merge-patch+json:
  labels {'app': 'web'}
  containers ['web:1']
set to None:
  PATCH application/merge-patch+json:
  labels {'app': 'web', 'hold': None}
  containers ['web:1', 'side:1']
END
