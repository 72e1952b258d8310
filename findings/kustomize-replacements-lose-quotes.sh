#!/usr/bin/env bash
# sigs.k8s.io/kustomize/api 0.21.1 (Go).
#
# Guess: what a replacement copies keeps its type, or takes that of the field it is copied to, whether that exists or not.
#
# Really: it takes that of the field if there is one: "50" becomes the number 50 where a number stood, 3 the text "3". Where
# `create: true` makes the field, the quotes are gone: "1.10" becomes the number 1.1, "true" a boolean; and 3 in the data of a
# ConfigMap stays a number.
#
# Matters: a tag or a header of a Canary that is copied from a ConfigMap is another one, or refused, as soon as it looks
# like a number, and so is a ConfigMap with a count. Let the field stand in the base, with quotes.
#
# Seen: see below.
set -euo pipefail
. "$(dirname "$0")/lib/kustomize.sh"
mkdir "$work/overlay"
cat >"$work/overlay/kustomization.yaml" <<'YAML'
resources: [objects.yaml]
replacements:
  - source: {kind: ConfigMap, name: settings, fieldPath: data.weight}
    targets:
      - {select: {kind: Canary}, fieldPaths: [spec.number, spec.text]}
      - {select: {kind: Canary}, fieldPaths: [spec.madeNumber], options: {create: true}}
  - source: {kind: ConfigMap, name: settings, fieldPath: data.version}
    targets:
      - {select: {kind: Canary}, fieldPaths: [spec.madeVersion], options: {create: true}}
  - source: {kind: ConfigMap, name: settings, fieldPath: data.enabled}
    targets:
      - {select: {kind: Canary}, fieldPaths: [spec.madeSwitch], options: {create: true}}
  - source: {kind: Canary, fieldPath: spec.replicas}
    targets:
      - {select: {kind: ConfigMap}, fieldPaths: [data.count]}
      - {select: {kind: ConfigMap}, fieldPaths: [data.madeCount], options: {create: true}}
YAML
cat >"$work/overlay/objects.yaml" <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {weight: "50", version: "1.10", enabled: "true", count: "1"}
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: app}
spec: {replicas: 3, number: 10, text: "10"}
YAML
kustomize v0.21.1 "$work/overlay" | sed -n 's/^  \([a-zA-Z]*: .*\)/\1/p' | grep -v '^name:' | tee "$work/seen"
diff "$work/seen" - <<'END'
count: "3"
enabled: "true"
madeCount: 3
version: "1.10"
weight: "50"
madeNumber: 50
madeSwitch: true
madeVersion: 1.1
number: 50
replicas: 3
text: "50"
END
