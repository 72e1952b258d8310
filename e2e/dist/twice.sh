#!/usr/bin/env bash
# Makes a release of the last commit twice, from nothing, in two clones whose paths have different lengths, with target
# folders of their own, and compares the bytes of all files. Then kubeconform reads the schemas: all examples are valid, and
# one with a misspelled field is not. The builds take about 2 GB, which are removed.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# make_in <folder>: leaves the release in <folder>.dist
make_in() {
  git clone --quiet . "$work/$1/serin"
  # one of the user's would name a target folder for both
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
