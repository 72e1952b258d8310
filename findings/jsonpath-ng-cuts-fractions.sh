#!/usr/bin/env bash
# jsonpath-ng 1.7.0, against 1.16.0 (Python).
#
# Guess: the filter [?(@.failed > 0)] finds a pod with a share of 0.4, and [?(@.rate > 99)] one with 99.9.
#
# Really: where the number of the filter is whole, 1.7.0 cuts what it compares off to a whole number: 0.4 is 0 and 99.9 is
# 99, so that both are left out, and 99.9 is equal to 99. The text "100" is a number. 1.16.0 compares numbers with numbers.
#
# Matters: a gate that looks for pods with failures finds none as long as not all requests of a pod fail, and an update of
# the library changes what the same path finds. Write 0.0 in the filter, or take the newer version.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
for version in 1.7.0 1.16.0; do
  echo "$version" | tee -a "$work/seen"
  with_python jsonpath-ng=="$version" <<'PY'
from jsonpath_ng.ext import parse

shares = {"pods": [{"failed": 0}, {"failed": 0.4}, {"failed": 1}]}
rates = {"pods": [{"rate": 99}, {"rate": 99.9}, {"rate": "100"}]}
for field, data, filters in (("failed", shares, ("> 0", "< 1", "> 0.0")), ("rate", rates, ("> 99", "== 99", "> 99.0"))):
    for condition in filters:
        try:
            told = [found.value[field] for found in parse(f"$.pods[?(@.{field} {condition})]").find(data)]
        except TypeError:
            told = "TypeError"
        print(f"  {field} {condition}: {told}")
PY
done
expect <<'END'
1.7.0
  failed > 0: [1]
  failed < 1: [0, 0.4]
  failed > 0.0: [0.4, 1]
  rate > 99: ['100']
  rate == 99: [99, 99.9]
  rate > 99.0: TypeError
1.16.0
  failed > 0: [0.4, 1]
  failed < 1: [0, 0.4]
  failed > 0.0: [0.4, 1]
  rate > 99: [99.9]
  rate == 99: [99]
  rate > 99.0: [99.9]
END
