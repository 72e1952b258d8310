#!/usr/bin/env bash
# cdk8s-plus-33 2.5.57 with cdk8s 2.70.106 (JavaScript).
#
# Guess: a Deployment "web" of a chart "shop" is called web or shop-web, and selects its pods by app or by
# app.kubernetes.io/name, as kubectl, Helm and all examples do.
#
# Really: it is called shop-web-c81100ac, where the end is made of the place in the tree of constructs, and selects by
# cdk8s.io/metadata.addr alone, whatever labels are given. Put into another construct it has another name and selector.
#
# Matters: tools that look for app, name or app.kubernetes.io/name in the selector, as Flagger and Serin do, refuse the
# Deployment: start them with --selector-labels=app,cdk8s.io/metadata.addr. And a change of the code that only moves the
# construct makes another Deployment, and the Canary's target is gone. Give metadata.name; the selector changes even then,
# which Kubernetes refuses.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node cdk8s@2.70.106 cdk8s-plus-33@2.5.57 constructs@10.8.1 <<'JS'
import { App, Chart } from "cdk8s";
import { Deployment } from "cdk8s-plus-33";
import { Construct } from "constructs";

const show = (what, scope, chart, metadata) => {
  const deployment = new Deployment(scope, "web", { metadata, containers: [{ image: "web:1", portNumber: 8080 }] });
  deployment.exposeViaService();
  const [workload, service] = chart.toJson();
  console.log(`${what}: ${workload.metadata.name}`, JSON.stringify(workload.spec.selector.matchLabels), JSON.stringify(service.spec.selector));
};
const chart = (labels) => new Chart(new App(), "shop", { labels });
let root = chart();
show("plain", root, root);
root = chart({ app: "web" });
show("with labels", root, root, { labels: { "app.kubernetes.io/name": "web" } });
root = chart();
show("moved", new Construct(root, "team"), root);
root = chart();
show("named", root, root, { name: "web" });
JS
expect <<'END'
plain: shop-web-c81100ac {"cdk8s.io/metadata.addr":"shop-web-c80b2a96"} {"cdk8s.io/metadata.addr":"shop-web-c80b2a96"}
with labels: shop-web-c81100ac {"cdk8s.io/metadata.addr":"shop-web-c80b2a96"} {"cdk8s.io/metadata.addr":"shop-web-c80b2a96"}
moved: shop-team-web-c83a65cf {"cdk8s.io/metadata.addr":"shop-team-web-c8cf48fa"} {"cdk8s.io/metadata.addr":"shop-team-web-c8cf48fa"}
named: web {"cdk8s.io/metadata.addr":"shop-web-c80b2a96"} {"cdk8s.io/metadata.addr":"shop-web-c80b2a96"}
END
