#!/usr/bin/env bash
# statsmodels 0.15.0, scipy 1.17.1 (Python).
#
# Guess: the two functions of statsmodels for two shares, proportions_ztest and test_proportions_2indep, agree to a few
# digits, and prop_var=False of the first makes a difference.
#
# Really: one failure of 20 against none of 380 is p = 0.00001 by the first and 0.15 by the second, with what is taken where
# no method is given; Fisher's test says 0.05. method="score" of the second is the first, nearly; prop_var=False changes
# nothing.
#
# Matters: a canary at a weight of 5 has a twentieth of its primary's requests, and its first failure rolls it back by one
# judge and is nothing to another, though both compare the same share with the same level. Name the function and its method
# beside the level, and ask for a number of failures.
#
# Seen, p of failures of a canary against those of its primary: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python statsmodels==0.15.0 scipy==1.17.1 numpy==2.4.6 pandas==3.1.1 <<'PY'
import warnings
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest, test_proportions_2indep

warnings.simplefilter("ignore")
for failed, of, also_failed, of_primary in ((1, 20, 0, 380), (2, 50, 4, 950), (5, 100, 20, 1900), (50, 1000, 200, 19000)):
    counts, totals = [failed, also_failed], [of, of_primary]
    four = (failed, of, also_failed, of_primary)
    print(f"{failed} of {of} against {also_failed} of {of_primary}")
    print(f"  proportions_ztest: {proportions_ztest(counts, totals)[1]:.5f}")
    print(f"  proportions_ztest, prop_var=False: {proportions_ztest(counts, totals, prop_var=False)[1]:.5f}")
    print(f"  test_proportions_2indep: {test_proportions_2indep(*four).pvalue:.5f}")
    print(f"  test_proportions_2indep, score: {test_proportions_2indep(*four, method='score').pvalue:.5f}")
    print(f"  fisher_exact: {stats.fisher_exact([[failed, of - failed], [also_failed, of_primary - also_failed]]).pvalue:.5f}")
PY
expect <<'END'
1 of 20 against 0 of 380
  proportions_ztest: 0.00001
  proportions_ztest, prop_var=False: 0.00001
  test_proportions_2indep: 0.15009
  test_proportions_2indep, score: 0.00001
  fisher_exact: 0.05000
2 of 50 against 4 of 950
  proportions_ztest: 0.00140
  proportions_ztest, prop_var=False: 0.00140
  test_proportions_2indep: 0.10575
  test_proportions_2indep, score: 0.00141
  fisher_exact: 0.03231
5 of 100 against 20 of 1900
  proportions_ztest: 0.00053
  proportions_ztest, prop_var=False: 0.00053
  test_proportions_2indep: 0.04133
  test_proportions_2indep, score: 0.00054
  fisher_exact: 0.00675
50 of 1000 against 200 of 19000
  proportions_ztest: 0.00000
  proportions_ztest, prop_var=False: 0.00000
  test_proportions_2indep: 0.00000
  test_proportions_2indep, score: 0.00000
  fisher_exact: 0.00000
END
