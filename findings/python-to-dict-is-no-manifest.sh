#!/usr/bin/env bash
# kubernetes 37.0.2 (Python).
#
# Guess: to_dict() of a Deployment that was read is its manifest: it can be changed and sent back, or kept as a backup.
#
# Really: its keys are those of Python, `match_labels` and `image_pull_policy`, and they are sent as they are. A field whose
# name is one word arrives, one of two words does not, and what was not set is sent as null. A backup in YAML has the same
# keys. ApiClient().sanitize_for_serialization(deployment) is the manifest.
#
# Matters: a bot that changes the image by such a patch seems to work, since `spec`, `template`, `containers` and `image`
# are single words, and its change of the readinessProbe is dropped by the API server: the canary runs without the probe it
# was given. Send the object itself.
#
# Seen, the body of a patch: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python kubernetes==37.0.2 <<'PY'
import http.server
import json
import threading

from kubernetes import client


class Server(http.server.BaseHTTPRequestHandler):
    def do_PATCH(self):
        bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def keys(value, path=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from keys(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner, path + "[]")
    elif value is not None or path.endswith("replicas"):
        yield path


bodies = []
server = http.server.HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
container = client.V1Container(name="web", image="web:2", image_pull_policy="Always", readiness_probe=client.V1Probe(period_seconds=5))
deployment = client.V1Deployment(
    spec=client.V1DeploymentSpec(
        min_ready_seconds=10,
        selector=client.V1LabelSelector(match_labels={"app": "web"}),
        template=client.V1PodTemplateSpec(spec=client.V1PodSpec(containers=[container])),
    )
)
api = client.AppsV1Api(client.ApiClient(client.Configuration(host=f"http://127.0.0.1:{server.server_port}")))
for name, body in (("the object", deployment), ("its to_dict()", deployment.to_dict())):
    api.patch_namespaced_deployment("web", "default", body, _preload_content=False)
    print(f"{name}:", *sorted(keys(bodies[-1])), sep="\n  ")
PY
expect <<'END'
the object:
  spec.minReadySeconds
  spec.selector.matchLabels.app
  spec.template.spec.containers[].image
  spec.template.spec.containers[].imagePullPolicy
  spec.template.spec.containers[].name
  spec.template.spec.containers[].readinessProbe.periodSeconds
its to_dict():
  spec.min_ready_seconds
  spec.replicas
  spec.selector.match_labels.app
  spec.template.spec.containers[].image
  spec.template.spec.containers[].image_pull_policy
  spec.template.spec.containers[].name
  spec.template.spec.containers[].readiness_probe.period_seconds
END
