#!/usr/bin/env bash
# statsmodels 0.15.0 with scipy 1.17.1 (Python).
#
# Guess: multipletests over the p-values of several metrics leaves a NaN out, which is what a metric without traffic has,
# and corrects the others for their number.
#
# Really: the corrected p-values of all metrics are NaN with simes-hochberg, fdr_bh, fdr_by and fdr_tsbh, although the list
# of what is rejected is right; hommel rejects nothing. bonferroni and holm count the NaN as one metric more. scipy's
# false_discovery_control refuses it.
#
# Matters: a judge that corrects for its five metrics and goes on by `corrected < 0.05` promotes a canary whose failures
# have p = 0.000001, as soon as one other metric has no data: NaN is not less than 0.05. Take NaN out before the correction.
#
# Seen, which of p = 0.000001, 0.2, 0.6 and NaN are rejected, and corrected: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python statsmodels==0.15.0 scipy==1.17.1 numpy==2.3.5 <<'PY'
import warnings

warnings.simplefilter("ignore")
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

known = [0.000001, 0.2, 0.6]
for method in ("bonferroni", "holm", "hommel", "simes-hochberg", "fdr_bh", "fdr_by", "fdr_tsbh"):
    for values in (known, [*known, float("nan")]):
        rejected, corrected, *_ = multipletests(values, method=method)
        print(method, *(int(one) for one in rejected), "|", *(f"{one:.2g}" for one in corrected))
try:
    print(false_discovery_control([*known, float("nan")]))
except ValueError as error:
    print("scipy:", error)
PY
expect <<'END'
bonferroni 1 0 0 | 3e-06 0.6 1
bonferroni 1 0 0 0 | 4e-06 0.8 1 nan
holm 1 0 0 | 3e-06 0.4 0.6
holm 1 0 0 0 | 4e-06 0.6 1 nan
hommel 1 0 0 | 3e-06 0.4 0.6
hommel 0 0 0 0 | nan nan nan nan
simes-hochberg 1 0 0 | 3e-06 0.4 0.6
simes-hochberg 1 0 0 0 | nan nan nan nan
fdr_bh 1 0 0 | 3e-06 0.3 0.6
fdr_bh 1 0 0 0 | nan nan nan nan
fdr_by 1 0 0 | 5.5e-06 0.55 1
fdr_by 1 0 0 0 | nan nan nan nan
fdr_tsbh 1 0 0 | 2e-06 0.2 0.4
fdr_tsbh 1 0 0 0 | nan nan nan nan
scipy: `ps` must include only numbers between 0 and 1.
END
