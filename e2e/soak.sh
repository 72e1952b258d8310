#!/usr/bin/env bash
# Plays generated sequences of edits, deaths and refusals on the model, on all processors side by side: each part has a seed of
# its own, which is printed. The sequences of each property are as many in all as SOAK_CASES says (20000).
#
#   soak.sh             SOAK_SEED=n: the first seed; SOAK_PARTS=n: in so many parts
set -euo pipefail
cd "$(dirname "$0")/.."

cases=${SOAK_CASES:-20000} first=${SOAK_SEED:-$RANDOM} parts=${SOAK_PARTS:-$(nproc)}
each=$(((cases + parts - 1) / parts))
# What the model spends its time in is optimised; all other dependencies are those of a development build.
optimised=()
for package in serde_json json-patch jiff sha2 serin serin-model serin-invariants serin-e2e; do
  optimised+=(--config "profile.dev.package.$package.opt-level=2")
done
program=$(cargo test "${optimised[@]}" --locked -p serin-e2e --test properties --no-run 2>&1 | tee /dev/stderr |
  sed -n 's/^ *Executable .*(\(.*\))$/\1/p')
began=$SECONDS logs=$(mktemp -d) failed=0
trap 'rm -rf "$logs"' EXIT
for ((part = 0; part < parts; part++)); do
  seed=$((first + part))
  echo "seed $seed: $each sequences of each property"
  # One property after the other: the parts are what runs side by side.
  PROPTEST_RNG_SEED=$seed PROPTEST_CASES=$each "$program" --test-threads=1 whatever >"$logs/$seed" 2>&1 &
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
done
echo "$((SECONDS - began)) s"
exit $failed
