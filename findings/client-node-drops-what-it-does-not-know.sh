#!/usr/bin/env bash
# @kubernetes/client-node 1.4.0 (JavaScript).
#
# Guess: loadYaml() and createNamespacedDeployment() hand on what stands in the manifest, so that the API server refuses
# or warns of a field that it does not know.
#
# Really: of the kinds that the package knows it sends the fields that it knows, and nothing else: a misspelled
# readinesProbe is gone before the request. A Canary, which it does not know, is sent whole.
#
# Matters: a deployment tool in JavaScript applies a Deployment without its probe, and a canary gets users before it is
# ready; fields that are newer than the package are lost in the same way, and a read and a replace takes them out of an
# object that has them. Keep the package as new as the cluster, and validate manifests before they are loaded.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @kubernetes/client-node@1.4.0 <<'JS'
import http from "node:http";
import { AppsV1Api, CustomObjectsApi, KubeConfig, loadYaml } from "@kubernetes/client-node";

const server = http.createServer((request, response) => {
  let body = "";
  request.on("data", (data) => (body += data)).on("end", () => {
    console.log("sent:", body);
    response.setHeader("content-type", "application/json");
    response.end(body);
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const config = new KubeConfig();
config.loadFromClusterAndUser({ name: "c", server: `http://127.0.0.1:${server.address().port}`, skipTLSVerify: true }, { name: "u" });

const deployment = loadYaml(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replicas: 2
  template: {spec: {containers: [{name: app, image: "app:1", readinesProbe: {httpGet: {port: 80}}}]}}
`);
console.log("loaded:", JSON.stringify(deployment));
const plain = { metadata: { name: "app" }, spec: { replicas: 2, replica: 3 } };
await config.makeApiClient(AppsV1Api).createNamespacedDeployment({ namespace: "shop", body: plain });
const canary = loadYaml("{apiVersion: flagger.app/v1beta1, kind: Canary, metadata: {name: app}, spec: {suspended: true}}");
const place = { group: "flagger.app", version: "v1beta1", namespace: "shop", plural: "canaries" };
await config.makeApiClient(CustomObjectsApi).createNamespacedCustomObject({ ...place, body: canary });
server.close();
JS
expect <<'END'
loaded: {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"app"},"spec":{"replicas":2,"template":{"spec":{"containers":[{"image":"app:1","name":"app"}]}}}}
sent: {"metadata":{"name":"app"},"spec":{"replicas":2}}
sent: {"apiVersion":"flagger.app/v1beta1","kind":"Canary","metadata":{"name":"app"},"spec":{"suspended":true}}
END
