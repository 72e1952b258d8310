#!/usr/bin/env bash
# kustomize (module sigs.k8s.io/kustomize/api v0.21.1): a patch of one check of a Canary removes all others.
#
# Guess: lists are merged by `name`, as the containers of a Deployment are, so a patch that raises the limit of the check
# `errors` leaves `request-success-rate` and the rest of `errors` alone.
#
# Really: kustomize knows merge keys of built-in kinds only. In a custom resource the list of the patch replaces the whole
# list: one check is left, and it has lost its templateRef as well.
#
# Matters: an overlay that loosens one limit for staging takes the other checks out of the analysis, silently: a patch of
# request-success-rate leaves a valid Canary with that check alone. Patch with JSON patch operations (path
# /spec/analysis/metrics/1/thresholdRange/max), or give kustomize a schema with x-kubernetes-patch-merge-key (`openapi:`).
#
# Seen:
#   of a Canary: [{"name": "errors", "thresholdRange": {"max": 5}}]
#   of a Deployment: ["app", "sidecar"], image of app: app:2
set -euo pipefail
. "$(dirname "$0")/lib/kustomize.sh"
mkdir "$work/overlay"
cat >"$work/overlay/all.yaml" <<'YAML'
apiVersion: flagger.app/v1beta1
kind: Canary
metadata:
  name: podinfo
spec:
  analysis:
    metrics:
      - name: request-success-rate
        thresholdRange: {min: 99}
      - name: errors
        templateRef: {name: errors}
        thresholdRange: {max: 1}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: podinfo
spec:
  selector: {matchLabels: {app: podinfo}}
  template:
    metadata: {labels: {app: podinfo}}
    spec:
      containers:
        - {name: app, image: "app:1"}
        - {name: sidecar, image: "sidecar:1"}
YAML
cat >"$work/overlay/kustomization.yaml" <<'YAML'
resources: [all.yaml]
patches:
  - patch: |
      apiVersion: flagger.app/v1beta1
      kind: Canary
      metadata: {name: podinfo}
      spec: {analysis: {metrics: [{name: errors, thresholdRange: {max: 5}}]}}
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: podinfo}
      spec: {template: {spec: {containers: [{name: app, image: "app:2"}]}}}
YAML
kustomize v0.21.1 "$work/overlay" >"$work/built.yaml"
python_packages PyYAML==6.0.2
PYTHONPATH="$work/python" python3 - "$work/built.yaml" <<'PY'
import json
import sys
import yaml

objects = {o["kind"]: o["spec"] for o in yaml.safe_load_all(open(sys.argv[1]))}
metrics = objects["Canary"]["analysis"]["metrics"]
containers = {c["name"]: c["image"] for c in objects["Deployment"]["template"]["spec"]["containers"]}
print("of a Canary:", json.dumps(metrics))
print(f"of a Deployment: {json.dumps(sorted(containers))}, image of app: {containers['app']}")
sys.exit((metrics, containers) != ([{"name": "errors", "thresholdRange": {"max": 5}}], {"app": "app:2", "sidecar": "sidecar:1"}))
PY
