#!/usr/bin/env bash
# Proves that the harness can fail: puts each deliberate defect into a copy of the last commit and runs the tests that
# its patch names. A defect that no test notices is a failure.
#
# Usage: run.sh [NAME...]     names of patches without .patch; all by default
set -euo pipefail
cd "$(dirname "$0")/../.."

here=$PWD/e2e/breakages
# Binaries of their own, so that no other command runs a defect. The same path each time, so that builds are reused.
export CARGO_TARGET_DIR=${BREAKAGES_TARGET_DIR:-${CARGO_TARGET_DIR:-$PWD/target}/breakages}
mkdir -p "$CARGO_TARGET_DIR"
tree=$CARGO_TARGET_DIR/tree
logs=$(mktemp -d)
git worktree prune
trap 'git worktree remove --force "$tree"; rm -rf "$logs"' EXIT
git worktree add --quiet --detach "$tree" HEAD

if (($# == 0)); then
  for patch in "$here"/*.patch; do set -- "$@" "$(basename "$patch" .patch)"; done
fi
unnoticed=()
for name in "$@"; do
  patch=$here/$name.patch
  test_command=$(sed -n 's/^Caught by: //p' "$patch")
  log=$logs/$name.log
  printf '%s: %s\n' "$name" "$(head -1 "$patch")"
  git -C "$tree" checkout --quiet -- .
  git -C "$tree" apply "$patch"
  # A defect that does not compile proves nothing. Stories run the binary, unit tests do not.
  if [[ $test_command == *"--test stories"* ]]; then
    (cd "$tree" && cargo build --quiet --locked --bin serin)
  fi
  if (cd "$tree" && bash -c "$test_command") >"$log" 2>&1; then
    unnoticed+=("$name")
    printf '  NOT NOTICED by: %s\n' "$test_command"
  elif ! grep -q '^running ' "$log"; then
    cat "$log"
    printf '%s: the tests did not run\n' "$name" >&2
    exit 1
  else
    grep -E '^test .* (FAILED|failed)' "$log" | sed 's/^/  noticed: /'
    grep -m 3 -E '(^|: )(S[0-9]+|D8|write budget|property [0-9]+)(:| )' "$log" | cut -c1-300 | sed 's/^/    /' || true
  fi
done
if ((${#unnoticed[@]})); then
  printf '%s\n' "Not noticed: ${unnoticed[*]}" >&2
  exit 1
fi
printf 'All %d defects were noticed.\n' "$#"
