#!/usr/bin/env bash
# scipy 1.17.1 and statsmodels 0.15.0 (Python).
#
# Guess: 0 failures of 1000 requests against 0 of 1000 is p = 1 in every test: nothing could be more alike.
#
# Really: it depends on the test. Fisher's and Barnard's say 1, proportions_ztest(), Boschloo's and the score test for
# two proportions say NaN, and chi2_contingency() raises. Of equal constant samples the t-test and kruskal() say NaN,
# mannwhitneyu() and ks_2samp() 1.
#
# Matters: no failures on both sides is the usual case of a good release. A judge that promotes on `p > 0.05` rolls it
# back for NaN, one that rolls back on `p < 0.05` works by luck, and the one with chi-squared stops with an exception.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python scipy==1.17.1 statsmodels==0.15.0 numpy==2.3.5 pandas==2.3.3 <<'PY'
import warnings

from scipy import stats
from statsmodels.stats.proportion import proportions_ztest, test_proportions_2indep as two_proportions

warnings.simplefilter("ignore")
table, same = [[0, 1000], [0, 1000]], [0.2] * 10
for name, test in {
    "fisher_exact": lambda: stats.fisher_exact(table).pvalue,
    "barnard_exact": lambda: stats.barnard_exact([[0, 50], [0, 50]]).pvalue,
    "boschloo_exact": lambda: stats.boschloo_exact([[0, 50], [0, 50]]).pvalue,
    "proportions_ztest": lambda: proportions_ztest([0, 0], [1000, 1000])[1],
    "two proportions, score": lambda: two_proportions(0, 1000, 0, 1000, method="score").pvalue,
    "two proportions, agresti-caffo": lambda: two_proportions(0, 1000, 0, 1000, method="agresti-caffo").pvalue,
    "chi2_contingency": lambda: stats.chi2_contingency(table).pvalue,
    "ttest_ind": lambda: stats.ttest_ind(same, same, equal_var=False).pvalue,
    "kruskal": lambda: stats.kruskal(same, same).pvalue,
    "mannwhitneyu": lambda: stats.mannwhitneyu(same, same).pvalue,
    "ks_2samp": lambda: stats.ks_2samp(same, same).pvalue,
}.items():
    try:
        print(f"{name}: {test():g}")
    except ValueError:
        print(f"{name}: ValueError")
PY
expect <<'END'
fisher_exact: 1
barnard_exact: 1
boschloo_exact: nan
proportions_ztest: nan
two proportions, score: nan
two proportions, agresti-caffo: 1
chi2_contingency: ValueError
ttest_ind: nan
kruskal: nan
mannwhitneyu: 1
ks_2samp: 1
END
