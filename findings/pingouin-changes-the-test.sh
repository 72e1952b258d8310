#!/usr/bin/env bash
# pingouin 0.7.0, against scipy 1.17.1 (Python).
#
# Guess: ttest() makes the same test whatever the number of values, and a missing value makes p NaN, as in scipy.
#
# Really: with as many values on both sides it is Student's test, and with one value more or less Welch's. A NaN is left out
# without a word, which makes the sides unequal and so changes the test.
#
# Matters: of eight durations on each side p is 0.063, where Welch's test says 0.083; with one of them missing it is Welch's, and
# p is 0.105. A gate decides by whether a scrape was lost. Say correction=True, and look for NaN first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python pingouin==0.7.0 scipy==1.17.1 numpy==2.4.6 pandas==3.1.1 <<'PY'
import warnings

import pingouin
import scipy.stats

warnings.simplefilter("ignore")
primary = [0.1, 0.11, 0.12, 0.1, 0.11, 0.13, 0.1, 0.12]
canary = [0.1, 0.9, 0.2, 0.3, 0.1, 0.5, 0.15, 0.2]
for name, values in (("eight", canary), ("nine", canary + [0.2]), ("one missing", canary[:-1] + [float("nan")])):
    said = {
        "ttest()": pingouin.ttest(primary, values)["p_val"].iloc[0],
        "correction=True": pingouin.ttest(primary, values, correction=True)["p_val"].iloc[0],
        "scipy, Student": scipy.stats.ttest_ind(primary, values).pvalue,
        "scipy, Welch": scipy.stats.ttest_ind(primary, values, equal_var=False).pvalue,
    }
    print(f"{name}: " + ", ".join(f"{kind} {p:.4f}" for kind, p in said.items()))
PY
expect <<'END'
eight: ttest() 0.0632, correction=True 0.0833, scipy, Student 0.0632, scipy, Welch 0.0833
nine: ttest() 0.0658, correction=True 0.0658, scipy, Student 0.0640, scipy, Welch 0.0658
one missing: ttest() 0.1050, correction=True 0.1050, scipy, Student nan, scipy, Welch nan
END
