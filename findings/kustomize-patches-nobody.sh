#!/usr/bin/env bash
# sigs.k8s.io/kustomize/api 0.21.1 (Go; kubectl -k, Flux, Argo CD).
#
# Guess: a patch whose target is not there ends the build, as one without `target` does ("no matches for Id").
#
# Really: with `target` it is left out without a word: a misspelled name, another version of the API, `canary` for Canary,
# a namespace or a prefix that the same file gives, which patches are too early to see. A replacement whose target is not
# there, too. And `replace` of a field that does not exist adds it.
#
# Matters: an overlay for production whose patch sets threshold: 1 builds, and runs with 5, from the day on which the
# Canary is renamed or its apiVersion changes; a misspelled path is a field that the API server drops. Leave `target` out
# where the patch names its object, or compare the build with what was wanted in CI.
#
# Seen, the threshold of the Canary after the build, which is 5 in the base: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/kustomize.sh"
mkdir "$work/overlay"
cat >"$work/overlay/base.yaml" <<'YAML'
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: podinfo}
spec:
  analysis: {threshold: 5}
YAML

# build <name> <text of the target> [path] [further lines]
build() {
  {
    echo 'resources: [base.yaml]'
    echo "${4-}"
    printf 'patches:\n- patch: |\n    - {op: replace, path: %s, value: 1}\n  target: %s\n' "${3-/spec/analysis/threshold}" "$2"
  } >"$work/overlay/kustomization.yaml"
  echo "$1: $(kustomize v0.21.1 "$work/overlay" | grep -E 'th?reshold' | xargs)"
}

{
  build "right" '{kind: Canary, name: podinfo}'
  build "name" '{kind: Canary, name: podinf}'
  build "kind" '{kind: canary}'
  build "version" '{group: flagger.app, version: v1, kind: Canary}'
  build "namespace" '{kind: Canary, namespace: prod}' /spec/analysis/threshold 'namespace: prod'
  build "prefix" '{kind: Canary, name: p-podinfo}' /spec/analysis/threshold 'namePrefix: p-'
  build "path" '{kind: Canary}' /spec/analysis/treshold
  cat >"$work/overlay/kustomization.yaml" <<'YAML'
resources: [base.yaml]
patches:
- patch: "{apiVersion: flagger.app/v1beta1, kind: Canary, metadata: {name: podinf}, spec: {analysis: {threshold: 1}}}"
YAML
  echo "without target: $(kustomize v0.21.1 "$work/overlay" 2>&1 | grep -o 'no matches for Id' | head -1)"
} | tee "$work/seen"
diff "$work/seen" - <<'END' || { echo "the behaviour has changed" >&2; exit 1; }
right: threshold: 1
name: threshold: 5
kind: threshold: 5
version: threshold: 5
namespace: threshold: 5
prefix: threshold: 5
path: threshold: 5 treshold: 1
without target: no matches for Id
END
