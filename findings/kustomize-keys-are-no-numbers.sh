#!/usr/bin/env bash
# sigs.k8s.io/kustomize/api 0.21.1: a generated ConfigMap cannot have the key 404.
#
# Guess: keys of a configMapGenerator are file names, that is text.
#
# Really: a key that YAML reads as a number, a boolean, a date or null ends the build with "unsupported type:
# map[interface {}]interface {}". The same key in a ConfigMap that is a resource works, as kustomize quotes it there. y, n
# and on work.
#
# Matters: error pages of a proxy are files called 404 and 503, and versions are called 1.10. The message names neither
# object nor key, and the build of the Canary beside it fails as well. Put such files into a ConfigMap by hand.
#
# Seen: see below.
set -euo pipefail
. "$(dirname "$0")/lib/kustomize.sh"
mkdir "$work/overlay"
{
  for key in page.html 404 1.10 true on; do
    printf 'configMapGenerator: [{name: pages, options: {disableNameSuffixHash: true}, literals: ["%s=x"]}]\n' "$key" \
      >"$work/overlay/kustomization.yaml"
    if kustomize v0.21.1 "$work/overlay" >"$work/built" 2>"$work/error"; then
      echo "generated $key: $(grep ': x' "$work/built")"
    else
      echo "generated $key: $(grep -o 'unsupported type: map.*' "$work/error")"
    fi
  done
  echo 'resources: [pages.yaml]' >"$work/overlay/kustomization.yaml"
  printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: pages}\ndata: {"404": x}\n' >"$work/overlay/pages.yaml"
  echo "resource 404: $(kustomize v0.21.1 "$work/overlay" | grep ': x')"
} | tee "$work/seen"
diff "$work/seen" - <<'END'
generated page.html:   page.html: x
generated 404: unsupported type: map[interface {}]interface {}
generated 1.10: unsupported type: map[interface {}]interface {}
generated true: unsupported type: map[interface {}]interface {}
generated on:   "on": x
resource 404:   "404": x
END
