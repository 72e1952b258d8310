#!/usr/bin/env bash
# github.com/Masterminds/sprig/v3 v3.3.0, the functions of Helm's templates: arithmetic is done in whole numbers, and
# fractions are cut off the arguments first.
#
# Guess: `sub 100 0.5` is 99.5, and `mul 0.05 100` is 5.
#
# Really: 100 and 0. add, sub, mul, div, max and min turn each argument into an int64; only addf, subf, mulf, divf, maxf
# and minf calculate with fractions.
#
# Matters: a chart that calculates the limits of a Canary from an error budget of 0.5 % asks for a success rate of 100 %,
# and rolls back everything; one that turns a share of 0.05 into a weight says stepWeight 0.
#
# Seen: the results below.
set -euo pipefail
. "$(dirname "$0")/lib/sprig.sh"
sprig v3.3.0 <<'TXT'
{"errorBudget": 0.5, "share": 0.05}
min: {{ sub 100 .errorBudget }}
min: {{ subf 100 .errorBudget }}
stepWeight: {{ mul .share 100 }}
stepWeight: {{ mulf .share 100 }}
max: {{ max 0.5 0.2 }}
TXT
expect <<'TXT'
min: {{ sub 100 .errorBudget }} = min: 100
min: {{ subf 100 .errorBudget }} = min: 99.5
stepWeight: {{ mul .share 100 }} = stepWeight: 0
stepWeight: {{ mulf .share 100 }} = stepWeight: 5
max: {{ max 0.5 0.2 }} = max: 0
TXT
