#!/usr/bin/env bash
# kustomize (module sigs.k8s.io/kustomize/api v0.21.1): namePrefix renames a Deployment and its Canary, but not the
# Canary's reference to it.
#
# Guess: references follow: the scaleTargetRef of a HorizontalPodAutoscaler does.
#
# Really: kustomize follows references of built-in kinds only. The Canary is prod-podinfo and its targetRef still says
# podinfo; autoscalerRef and the templateRef of its metrics as well, though the MetricTemplate is now prod-errors.
#
# Matters: the Canary waits for a Deployment that does not exist; or worse, in a namespace with an unprefixed Deployment
# of that name, it takes over that one. Add a `nameReference` configuration for targetRef, autoscalerRef and templateRef.
#
# Seen:
#   HorizontalPodAutoscaler: prod-podinfo to prod-podinfo
#   Canary: prod-podinfo to podinfo, metric by errors
#   with nameReference: prod-podinfo to prod-podinfo, metric by prod-errors
set -euo pipefail
. "$(dirname "$0")/lib/kustomize.sh"
mkdir "$work/overlay"
cat >"$work/overlay/all.yaml" <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: podinfo
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: podinfo
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: podinfo}
---
apiVersion: flagger.app/v1beta1
kind: MetricTemplate
metadata:
  name: errors
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata:
  name: podinfo
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: podinfo}
  analysis:
    metrics:
      - name: errors
        templateRef: {name: errors}
YAML
printf 'resources: [all.yaml]\nnamePrefix: prod-\n' >"$work/overlay/kustomization.yaml"
kustomize v0.21.1 "$work/overlay" >"$work/plain.yaml"

cat >"$work/overlay/references.yaml" <<'YAML'
nameReference:
  - kind: Deployment
    fieldSpecs: [{kind: Canary, path: spec/targetRef/name}]
  - kind: MetricTemplate
    fieldSpecs: [{kind: Canary, path: spec/analysis/metrics/templateRef/name}]
YAML
echo 'configurations: [references.yaml]' >>"$work/overlay/kustomization.yaml"
kustomize v0.21.1 "$work/overlay" >"$work/configured.yaml"

python_packages PyYAML==6.0.2
PYTHONPATH="$work/python" python3 - "$work/plain.yaml" "$work/configured.yaml" <<'PY' | tee "$work/seen"
import sys
import yaml

plain, configured = ({o["kind"]: o for o in yaml.safe_load_all(open(path))} for path in sys.argv[1:])


def canary(objects):
    canary = objects["Canary"]
    metric = canary["spec"]["analysis"]["metrics"][0]["templateRef"]["name"]
    return f"{canary['metadata']['name']} to {canary['spec']['targetRef']['name']}, metric by {metric}"


hpa = plain["HorizontalPodAutoscaler"]
print(f"HorizontalPodAutoscaler: {hpa['metadata']['name']} to {hpa['spec']['scaleTargetRef']['name']}")
print("Canary:", canary(plain))
print("with nameReference:", canary(configured))
PY
diff "$work/seen" - <<'TXT'
HorizontalPodAutoscaler: prod-podinfo to prod-podinfo
Canary: prod-podinfo to podinfo, metric by errors
with nameReference: prod-podinfo to prod-podinfo, metric by prod-errors
TXT
