#!/usr/bin/env bash
# simpleeval 1.0.8 (Python).
#
# Guess: `errors = 0` is no expression and is refused, and so are two expressions.
#
# Really: of `errors = 0` it evaluates the right side, 0, whatever errors is; of `total > 90; errors < 5` the first one. Both end
# in a warning of Python, and no error. `&` binds before the comparisons, as in Python: `errors > 5 & total > 90` compares
# errors with 5 & total, which is 4, and that with 90. 2 ^ 3 is 1.
#
# Matters: a gate whose condition has one equals sign passes always, `failures = 1`, or never. Refuse those warnings:
# warnings.simplefilter("error") turns them into errors.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python simpleeval==1.0.8 <<'PY'
import warnings

import simpleeval

names = {"errors": 7, "total": 100}
for text in ["errors = 1", "errors == 1", "errors = 0", "total > 90; errors < 5", "errors > 5 & total > 90", "errors > 5 and total > 90", "2 ^ 3"]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = simpleeval.simple_eval(text, names=names)
    print(f"{text}: {value}{''.join(f', {warning.category.__name__}' for warning in caught)}")
PY
expect <<'END'
errors = 1: 1, AssignmentAttempted
errors == 1: False
errors = 0: 0, AssignmentAttempted
total > 90; errors < 5: True, MultipleExpressions
errors > 5 & total > 90: False
errors > 5 and total > 90: True
2 ^ 3: 1
END
