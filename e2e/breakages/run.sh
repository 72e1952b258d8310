#!/usr/bin/env bash
# Proves that the tests can fail: applies all deliberate defects to a copy of the last commit, each behind the switch in switch.rs, builds
# it once, and runs the tests that each patch names with its defect switched on. A defect that no test notices is a failure.
#
# A patch starts with a description of the defect. Then it has one line for each test: "Caught by: COMMAND" for a test that must fail,
# "Breaks S4: COMMAND" for a test that must fail because of that invariant. All patches are applied to one copy, so each defect is
# guarded by `crate::broken("NAME")`.
#
# Usage: run.sh [NAME...]     names of patches without .patch. The default is all patches
set -euo pipefail
cd "$(dirname "$0")/../.."

here=$PWD/e2e/breakages
# A separate target folder, so that no other command runs a defect. The same path each time, so that builds are reused.
export CARGO_TARGET_DIR=${BREAKAGES_TARGET_DIR:-${CARGO_TARGET_DIR:-$PWD/target}/breakages}
mkdir -p "$CARGO_TARGET_DIR"
tree=$CARGO_TARGET_DIR/tree
logs=$(mktemp -d)
new=$(mktemp -d)
trap 'rm -rf "$new" "$logs"' EXIT
git archive HEAD | tar -x -C "$new"
(cd "$new" && GIT_CEILING_DIRECTORIES=${new%/*} git apply "$here"/*.patch)
cat "$here/switch.rs" >>"$new/src/lib.rs"
# Writes only files that differ from the last time, so that nothing else is rebuilt.
mkdir -p "$tree"
LC_ALL=C diff -rq "$new" "$tree" | while IFS= read -r line; do
  case $line in
    "Only in $tree"*) line=${line#Only in } && rm -r "${line/: //}" ;;
    "Only in $new"*) line=${line#"Only in $new"} && cp -r "$new${line/: //}" "$tree${line/: //}" ;;
    *) line=${line#"Files $new/"} && cp "$new/${line%% and *}" "$tree/${line%% and *}" ;;
  esac
done || true
diff -rq "$new" "$tree"

if (($# == 0)); then
  for patch in "$here"/*.patch; do set -- "$@" "$(basename "$patch" .patch)"; done
fi
# A story runs the operator's binary, which its test target does not build.
for name in "$@"; do
  if grep -qE '^(Caught by|Breaks .*): .*--test stories' "$here/$name.patch"; then
    (cd "$tree" && cargo build --quiet --locked --bin serin)
    break
  fi
done
# The results of the tests without a defect: a test that always fails detects nothing.
declare -A sound=()
unnoticed=()
for name in "$@"; do
  patch=$here/$name.patch
  printf '%s: %s\n' "$name" "$(head -1 "$patch")"
  while IFS='|' read -r invariant test_command; do
    log=$logs/$name.log
    if [[ -z ${sound[$test_command]:-} ]]; then
      if ! (cd "$tree" && bash -c "$test_command") </dev/null >"$log" 2>&1; then
        cat "$log"
        printf '%s fails without a defect\n' "$test_command" >&2
        exit 1
      fi
      sound[$test_command]=yes
    fi
    if (cd "$tree" && SERIN_BREAKAGE=$name bash -c "$test_command") </dev/null >"$log" 2>&1; then
      unnoticed+=("$name")
      printf '  NOT NOTICED by: %s\n' "$test_command"
    elif ! grep -q '^running ' "$log"; then
      cat "$log"
      printf '%s: the tests did not run\n' "$name" >&2
      exit 1
    elif [[ -n $invariant ]] && ! grep -qE "(^|: )$invariant(:| )" "$log"; then
      unnoticed+=("$name")
      printf '  NOT NOTICED by invariant %s: %s\n' "$invariant" "$test_command"
    else
      grep -E '^test .* \.\.\. (FAILED|failed)' "$log" | sed 's/^/  noticed: /'
      [[ -z $invariant ]] || grep -m 1 -E "(^|: )$invariant(:| )" "$log" | cut -c1-300 | sed 's/^/    /'
    fi
  done < <(sed -nE 's/^Caught by: /|/p; s/^Breaks ([^:]+): /\1|/p' "$patch")
done
if ((${#unnoticed[@]})); then
  printf '%s\n' "Not noticed: ${unnoticed[*]}" >&2
  exit 1
fi
printf 'All %d defects were noticed.\n' "$#"
