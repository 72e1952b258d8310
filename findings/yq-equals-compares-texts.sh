#!/usr/bin/env bash
# github.com/mikefarah/yq/v4 4.54.3 (Go).
#
# Guess: `.rate == 0.50` is true for `rate: 0.5`, `.text == 10` is false for a text, and a missing field is less than 5, as
# for jq.
#
# Really: == compares how two values are written, with * as a wildcard: 0.5 is not 0.50, 100 is not 1e2, and the text
# "10" is 10. Neither `<` nor `>` holds for what is missing, so that a condition and its opposite are both false.
# 0644 is the number 644.
#
# Matters: a step of a pipeline that compares a field of a Canary, or a webhook that compares an answer, fails for a
# number that another tool has written (`threshold: 1.0`), and passes for a text. Compare with <= and >=.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
GOBIN="$work" go install github.com/mikefarah/yq/v4@v4.54.3 2>"$work/go.log" || { cat "$work/go.log" >&2; exit 1; }
cat >"$work/values.yaml" <<'YAML'
rate: 0.5
weight: 100
text: "10"
name: podinfo
mode: 0644
YAML
for expression in '.rate == 0.50' '.rate >= 0.50 and .rate <= 0.50' '.weight == 1e2' '.text == 10' '.name == "pod*"' \
  '.missing < 5' '.missing >= 5' '.mode + 1'; do
  echo "$expression: $("$work/yq" "$expression" "$work/values.yaml")"
done | tee "$work/seen"
expect <<'END'
.rate == 0.50: false
.rate >= 0.50 and .rate <= 0.50: true
.weight == 1e2: false
.text == 10: true
.name == "pod*": true
.missing < 5: false
.missing >= 5: false
.mode + 1: 645
END
