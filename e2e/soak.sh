#!/usr/bin/env bash
# Runs generated sequences of edits, crashes and refusals on the model, on all processors in parallel: each part has its own seed, which is
# printed. SOAK_CASES is the total number of sequences per property (20000).
#
#   soak.sh             SOAK_SEED=n: the first seed; SOAK_PARTS=n: the number of parts
set -euo pipefail
cd "$(dirname "$0")/.."

cases=${SOAK_CASES:-20000} first=${SOAK_SEED:-$RANDOM} parts=${SOAK_PARTS:-$(nproc)}
properties=(whatever an_apex_that_moves_users_breaks verdicts_of_all_kinds)
each=$(((cases + parts - 1) / parts))
# Optimises the planner, the model and the properties. Other dependencies are the same as in a development build, which optimises some of
# them (Cargo.toml), so that they are not compiled again.
optimised=()
for package in serin serin-model serin-invariants serin-e2e; do
  optimised+=(--config "profile.dev.package.$package.opt-level=2")
done
program=$(cargo test "${optimised[@]}" --locked -p serin-e2e --test properties --no-run 2>&1 | tee >(cat >&2) |
  sed -n 's/^ *Executable .*(\(.*\))$/\1/p')
began=$SECONDS logs=$(mktemp -d) failed=0 running=()
# Background parts do not receive Ctrl-C.
trap 'kill "${running[@]}" 2>/dev/null || true; rm -rf "$logs"' EXIT
for ((part = 0; part < parts; part++)); do
  seed=$((first + part))
  echo "seed $seed: $each sequences of each property"
  # One property after the other: only the parts run in parallel.
  PROPTEST_RNG_SEED=$seed PROPTEST_CASES=$each "$program" --test-threads=1 "${properties[@]}" >"$logs/$seed" 2>&1 &
  running[part]=$!
done
for ((part = 0; part < parts; part++)); do
  seed=$((first + part))
  if wait "${running[part]}"; then
    grep '^test result' "$logs/$seed" | sed "s/^/seed $seed: /"
  else
    failed=1
    cat "$logs/$seed"
    echo "seed $seed: FAILED; SOAK_SEED=$seed SOAK_PARTS=1 SOAK_CASES=$each $0 repeats it"
  fi
  unset "running[part]"
done
echo "$((SECONDS - began)) s"
exit $failed
