#!/usr/bin/env bash
# Builds a release of the last commit twice from scratch, in two clones with paths of different lengths and separate target folders, and
# compares all files byte by byte. Then kubeconform checks the schemas: all examples are valid, and one with a misspelt field is not.
# The builds need about 2 GB, which are removed afterwards.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# make_in <folder>: puts the release into <folder>.dist
make_in() {
  git clone --quiet . "$work/$1/serin"
  # the user's variable would set the same target folder for both
  env -u SOURCE_DATE_EPOCH CARGO_TARGET_DIR="$work/$1/built" ${MAKE:-make} --no-print-directory -C "$work/$1/serin" dist
  mv "$work/$1/built/dist" "$work/$1.dist"
  rm -rf "${work:?}/$1"
}
make_in one
make_in a-longer/path-than-the-other
mv "$work/a-longer/path-than-the-other.dist" "$work/other.dist"
diff -r "$work/one.dist" "$work/other.dist" || { echo 'the same commit gave two releases' >&2; exit 1; }
(cd "$work/one.dist" && sha256sum --check --quiet SHA256SUMS)
e2e/dist/schemas.sh "$work"/one.dist/serin-*-schemas.tar.gz
echo 'both releases are the same, byte for byte'
