#!/usr/bin/env bash
# @kubernetes/client-node 1.4.0 (JavaScript).
#
# Guess: patchNamespacedDeployment({body: {spec: ...}}) sends a strategic merge patch, as kubectl and the Python
# client do, or goes by whether the body is an object or a list.
#
# Really: every patch is sent as application/json-patch+json. An object is no JSON patch, so the API server refuses
# it.
#
# Matters: a bot that suspends a Canary with an object is refused, and what works in one language fails in the other:
# Python sends all patches of custom objects as merge patches. Give the type each time.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @kubernetes/client-node@1.4.0 <<'JS'
import http from "node:http";
import { CustomObjectsApi, AppsV1Api, KubeConfig, PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";

const server = http.createServer((request, answer) => {
  console.log(request.url.split("/").at(-2), request.headers["content-type"]);
  request.resume();
  answer.setHeader("content-type", "application/json");
  answer.end("{}");
});
server.listen(0, "127.0.0.1", async () => {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: "c", skipTLSVerify: true, server: `http://127.0.0.1:${server.address().port}` }],
    users: [{ name: "u" }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  const body = { spec: { suspend: true } };
  const canary = { group: "flagger.app", version: "v1beta1", namespace: "d", plural: "canaries", name: "a", body };
  await config.makeApiClient(AppsV1Api).patchNamespacedDeployment({ namespace: "d", name: "a", body });
  await config.makeApiClient(CustomObjectsApi).patchNamespacedCustomObject(canary);
  const merge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
  await config.makeApiClient(CustomObjectsApi).patchNamespacedCustomObject(canary, merge);
  process.exit();
});
JS
expect <<'END'
deployments application/json-patch+json
canaries application/json-patch+json
canaries application/merge-patch+json
END
