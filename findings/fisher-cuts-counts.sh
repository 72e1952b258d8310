#!/usr/bin/env bash
# scipy 1.17.1 (Python).
#
# Guess: fisher_exact of counts with a fraction is an error, since it is a test of whole counts, or rounds them.
#
# Really: fisher_exact, barnard_exact and boschloo_exact cut the fraction off without a word: 0.95 failures are none, 5.9
# are five.
#
# Matters: increase() of Prometheus extrapolates, so that one failure is 0.95 and six are 5.9. The single failure of a
# side is lost, and p is half of what it is for the true counts, so that a judge rolls back a good version. Round first,
# or count exactly.
#
# Seen, p of failures and successes of two sides: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python scipy==1.17.1 <<'PY'
from scipy import stats

for table in ([[0.95, 99.05], [5.9, 94.1]], [[0, 99], [5, 94]], [[1, 99], [6, 94]]):
    for test in (stats.fisher_exact, stats.barnard_exact, stats.boschloo_exact):
        print(table, test.__name__, f"{test(table).pvalue:.4f}")
PY
expect <<'END'
[[0.95, 99.05], [5.9, 94.1]] fisher_exact 0.0594
[[0.95, 99.05], [5.9, 94.1]] barnard_exact 0.0646
[[0.95, 99.05], [5.9, 94.1]] boschloo_exact 0.0328
[[0, 99], [5, 94]] fisher_exact 0.0594
[[0, 99], [5, 94]] barnard_exact 0.0646
[[0, 99], [5, 94]] boschloo_exact 0.0328
[[1, 99], [6, 94]] fisher_exact 0.1184
[[1, 99], [6, 94]] barnard_exact 0.0894
[[1, 99], [6, 94]] boschloo_exact 0.0669
END
