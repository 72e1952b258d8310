#!/usr/bin/env bash
# Validates the JSON schemas of a release with kubeconform: all examples are valid, and one with a misspelt field is not. Needs Go.
#
#   schemas.sh ARCHIVE
set -euo pipefail
archive=$(realpath "$1")
cd "$(dirname "$0")"
command -v go >/dev/null || { echo 'Go is missing: https://go.dev/dl' >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tar --extract --file "$archive" --directory "$folder"
kubeconform=$(cd kubeconform && go tool -n kubeconform)
# Objects of other groups are skipped: there are no schemas for them here.
check() {
  "$kubeconform" -strict -summary -ignore-missing-schemas \
    -schema-location "$folder/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json" "$@"
}
said=$(check ../../deploy/examples/*.yaml) || { echo "$said"; exit 1; }
echo "$said"
# otherwise it would succeed without finding any schema
valid=$(grep -o 'Valid: [0-9]*' <<<"$said" | cut -d' ' -f2)
canaries=$(grep -l '^kind: Canary$' ../../deploy/examples/*.yaml | wc -l)
[ "$valid" -ge "$canaries" ] || { echo "of $canaries Canaries only $valid were looked at" >&2; exit 1; }
sed "s/stepWeights:/stepWeigths:/" ../../deploy/examples/canary-istio.yaml >"$folder/misspelled.yaml"
if check "$folder/misspelled.yaml"; then echo 'a misspelled field is valid' >&2; exit 1; fi
