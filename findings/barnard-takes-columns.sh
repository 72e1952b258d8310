#!/usr/bin/env bash
# scipy 1.17.1 (Python).
#
# Guess: barnard_exact and boschloo_exact take the same table as fisher_exact and chi2_contingency, in which a row is a
# version and a column an outcome, and p does not change when the table is turned.
#
# Really: both take each column for a group. With a version in each row they compare the shares of the versions among the
# failures and among the successes, which is another model: p is seven times as large here, and a quarter there.
# fisher_exact and chi2_contingency do not care. The shape of the table is right both ways, so that nothing is told.
#
# Matters: a judge that moves from Fisher's test to one of these, for their better power with few requests, finds no
# difference at a level of 0.01 between 4 failures of 50 and 2 of 200, and one between 5 of 100 and 20 of 1900; the test
# that was meant says the reverse. Turn the table.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python scipy==1.17.1 <<'PY'
from scipy import stats

for (failed, all_of_canary), (also_failed, all_of_primary) in (((4, 50), (2, 200)), ((5, 100), (20, 1900))):
    print(f"{failed} of {all_of_canary} against {also_failed} of {all_of_primary}")
    rows = [[failed, all_of_canary - failed], [also_failed, all_of_primary - also_failed]]
    columns = [list(column) for column in zip(*rows)]
    for test in (stats.barnard_exact, stats.boschloo_exact, stats.fisher_exact, stats.chi2_contingency):
        of = [test(table) for table in (columns, rows)]
        print(f"  {test.__name__}: versions in columns {of[0].pvalue:.4f}, in rows {of[1].pvalue:.4f}")
PY
expect <<'END'
4 of 50 against 2 of 200
  barnard_exact: versions in columns 0.0068, in rows 0.0471
  boschloo_exact: versions in columns 0.0214, in rows 0.0167
  fisher_exact: versions in columns 0.0157, in rows 0.0157
  chi2_contingency: versions in columns 0.0175, in rows 0.0175
5 of 100 against 20 of 1900
  barnard_exact: versions in columns 0.0197, in rows 0.0050
  boschloo_exact: versions in columns 0.0103, in rows 0.0085
  fisher_exact: versions in columns 0.0068, in rows 0.0068
  chi2_contingency: versions in columns 0.0027, in rows 0.0027
END
