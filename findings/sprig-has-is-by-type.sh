#!/usr/bin/env bash
# github.com/Masterminds/sprig/v3 v3.3.0, the functions of Helm's templates: `has`, `without` and `uniq` tell 10 from 10.
#
# Guess: `has 10 .weights` is true for `weights: [10, 20]`.
#
# Really: false. Numbers of values are floats, the 10 in a template is an int, and the two are compared with their types.
# `has 10.0` finds it; `without .weights 10` leaves it in; `uniq` keeps both. `has "a"` works, which hides it.
#
# Matters: a chart that adds a step, a check or an alert to a Canary "if the list has 50" never or always does. Turn the
# numbers into text on both sides: `has "50" (splitList "," (join "," .weights))`.
#
# Seen: the results below.
set -euo pipefail
. "$(dirname "$0")/lib/sprig.sh"
sprig v3.3.0 <<'TXT'
{"weights": [10, 20], "hosts": ["a", "b"]}
{{ has 10 .weights }}
{{ has 10.0 .weights }}
{{ has "a" .hosts }}
{{ without .weights 10 }}
{{ concat .weights (list 10) | uniq }}
{{ has "10" (splitList "," (join "," .weights)) }}
TXT
expect <<'TXT'
{{ has 10 .weights }} = false
{{ has 10.0 .weights }} = true
{{ has "a" .hosts }} = true
{{ without .weights 10 }} = [10 20]
{{ concat .weights (list 10) | uniq }} = [10 20 10]
{{ has "10" (splitList "," (join "," .weights)) }} = true
TXT
