#!/usr/bin/env bash
# scipy 1.17.1 (chi2_contingency), against statsmodels 0.15.0 (Python).
#
# Guess: chi2_contingency is the test of Pearson, and gives the p of proportions_chisquare and of the z test.
#
# Really: for two versions with two outcomes it corrects by Yates: p is about twice as large. For 5 failures of 100 against 14
# it is 0.054 instead of 0.030. With a third version in the table there is no correction. `correction=False` is the test of
# the others.
#
# Matters: of two gates with the same limit of 0.05 one stops the canary and the other lets it pass, and one gate changes its
# mind when a third version is added. Say which one is meant.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python scipy==1.17.1 statsmodels==0.15.0 <<'PY'
from scipy.stats import chi2_contingency
from statsmodels.stats.proportion import proportions_chisquare, proportions_ztest

for primary, canary in [(3, 11), (5, 14), (1, 7)]:
    table = [[primary, 100 - primary], [canary, 100 - canary]]
    seen = {
        "chi2_contingency": chi2_contingency(table).pvalue,
        "without correction": chi2_contingency(table, correction=False).pvalue,
        "proportions_chisquare": proportions_chisquare([primary, canary], [100, 100])[1],
        "proportions_ztest": proportions_ztest([primary, canary], [100, 100])[1],
    }
    print(f"{primary} and {canary} of 100: {', '.join(f'{name} {p:.3f}' for name, p in seen.items())}")
three = [[5, 95], [14, 86], [9, 91]]
print(f"three versions: {chi2_contingency(three).pvalue:.3f}, {chi2_contingency(three, correction=False).pvalue:.3f}")
PY
expect <<'END'
3 and 11 of 100: chi2_contingency 0.052, without correction 0.027, proportions_chisquare 0.027, proportions_ztest 0.027
5 and 14 of 100: chi2_contingency 0.054, without correction 0.030, proportions_chisquare 0.030, proportions_ztest 0.030
1 and 7 of 100: chi2_contingency 0.071, without correction 0.030, proportions_chisquare 0.030, proportions_ztest 0.030
three versions: 0.090, 0.090
END
