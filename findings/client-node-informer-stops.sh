#!/usr/bin/env bash
# @kubernetes/client-node 1.4.0 (JavaScript).
#
# Guess: an informer goes on after errors, as informers in Go and Rust do: it lists again and watches.
#
# Really: it does so after the end of a watch and after "410 Gone" within one. Any other error, such as one answer 500
# while an API server restarts, is told to the "error" handler, and the informer makes no further request.
#
# Matters: a bot or a dashboard that follows Canaries shows the state of the moment before for ever. Call start()
# again in the handler.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @kubernetes/client-node@1.4.0 <<'JS'
import http from "node:http";
import { CoreV1Api, KubeConfig, makeInformer } from "@kubernetes/client-node";

const path = "/api/v1/namespaces/d/configmaps";
const asked = [];
const watches = [
  (answer) => answer.end(JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } }) + "\n"),
  (answer) => answer.writeHead(500).end("{}"),
];
const server = http.createServer((request, answer) => {
  const watch = request.url.includes("watch=");
  asked.push(watch ? "watch" : "list");
  if (watch) return (watches.shift() ?? ((open) => open.flushHeaders()))(answer);
  answer.setHeader("content-type", "application/json");
  answer.end(JSON.stringify({ kind: "ConfigMapList", apiVersion: "v1", metadata: { resourceVersion: "5" }, items: [] }));
});
server.listen(0, "127.0.0.1", async () => {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: "c", skipTLSVerify: true, server: `http://127.0.0.1:${server.address().port}` }],
    users: [{ name: "u" }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  const api = config.makeApiClient(CoreV1Api);
  const informer = makeInformer(config, path, () => api.listNamespacedConfigMap({ namespace: "d" }));
  informer.on("error", (error) => {
    console.log("error:", error.message);
    setTimeout(() => {
      console.log("asked in all:", asked.join(", "));
      process.exit();
    }, 5000);
  });
  await informer.start();
});
JS
expect <<'END'
error: Internal Server Error
asked in all: list, watch, list, watch
END
