#!/usr/bin/env bash
# kr8s 0.20.15 (Python), fabric8 kubernetes-client 7.9.0 (Java).
#
# Guess: "ready" of a Deployment or a StatefulSet in the middle of a rollout is no: kubectl rollout status waits for it.
#
# Really: kr8s asks only for as many ready pods as wanted, and those of the old version count: with one new pod of three
# the Deployment is ready. fabric8 is right for Deployments, and for StatefulSets asks the same as kr8s, without a look at
# the revisions or at observedGeneration.
#
# Matters: a script that waits for the target or the primary of a Canary after it set an image goes on at once, and tests
# the old version. Wait for updatedReplicas and observedGeneration, or for the Canary.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python kr8s==0.20.15 <<'PY'
import asyncio
import http.server
import json
import threading

import kr8s
from kr8s.asyncio.objects import Deployment

deployment = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app", "namespace": "test", "generation": 2},
    "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "app"}}},
    "status": {"observedGeneration": 2, "replicas": 4, "updatedReplicas": 1, "readyReplicas": 3, "availableReplicas": 3},
}


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"gitVersion": "v1.35.0", "major": "1", "minor": "35"} if self.path.startswith("/version") else deployment).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()


async def main():
    api = await kr8s.asyncio.api(url=f"http://127.0.0.1:{server.server_port}")
    print("kr8s, Deployment with 1 new pod of 3:", await Deployment(deployment, api=api).ready())


asyncio.run(main())
PY
with_java io.fabric8:kubernetes-client:7.9.0 <<'JAVA'
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSetBuilder;
import io.fabric8.kubernetes.client.readiness.Readiness;

class Main {
    public static void main(String[] none) {
        var deployment = new DeploymentBuilder().withNewMetadata().withGeneration(2L).endMetadata()
            .withNewSpec().withReplicas(3).endSpec()
            .withNewStatus().withObservedGeneration(2L).withReplicas(4).withUpdatedReplicas(1).withReadyReplicas(3)
            .withAvailableReplicas(3).endStatus().build();
        var set = new StatefulSetBuilder().withNewMetadata().withGeneration(2L).endMetadata()
            .withNewSpec().withReplicas(3).endSpec()
            .withNewStatus().withObservedGeneration(1L).withReplicas(3).withUpdatedReplicas(1).withReadyReplicas(3)
            .withCurrentRevision("app-1").withUpdateRevision("app-2").endStatus().build();
        System.out.println("fabric8, Deployment with 1 new pod of 3: " + Readiness.getInstance().isReady(deployment));
        System.out.println("fabric8, StatefulSet with 1 new pod of 3: " + Readiness.getInstance().isReady(set));
    }
}
JAVA
expect <<'END'
kr8s, Deployment with 1 new pod of 3: True
fabric8, Deployment with 1 new pod of 3: false
fabric8, StatefulSet with 1 new pod of 3: true
END
