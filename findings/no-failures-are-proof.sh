#!/usr/bin/env bash
# statsmodels 0.15.0 (proportions_ztest with a value), against its binom_test and scipy 1.17.1 (binomtest).
#
# Guess: three requests without a failure prove nothing about a limit of 1 %.
#
# Really: the z test takes the variance from the sample, and three successes have none: z is infinite and p is 0, as for any
# number of requests without a failure. Five failures of 100 are below 10 % with p = 0.011, with `prop_var=0.1` 0.048, and with
# the exact test 0.058.
#
# Matters: a gate that lets a canary pass as soon as its failures are below 1 % with p < 0.05 lets it pass after its first request,
# without a warning but one of a division. Give prop_var, or take the exact test.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python statsmodels==0.15.0 scipy==1.17.1 <<'PY'
import warnings

from scipy.stats import binomtest
from statsmodels.stats.proportion import binom_test, proportions_ztest

warnings.simplefilter("ignore")
for failures, requests, limit in [(0, 1, 0.01), (0, 3, 0.01), (0, 100, 0.01), (1, 100, 0.05), (5, 100, 0.1)]:
    seen = {
        "proportions_ztest": proportions_ztest(failures, requests, value=limit, alternative="smaller")[1],
        "with prop_var": proportions_ztest(failures, requests, value=limit, alternative="smaller", prop_var=limit)[1],
        "binom_test": binom_test(failures, requests, limit, alternative="smaller"),
        "binomtest": binomtest(failures, requests, limit, alternative="less").pvalue,
    }
    print(f"{failures} of {requests} below {limit:.0%}: {', '.join(f'{name} {p:.3f}' for name, p in seen.items())}")
PY
expect <<'END'
0 of 1 below 1%: proportions_ztest 0.000, with prop_var 0.460, binom_test 0.990, binomtest 0.990
0 of 3 below 1%: proportions_ztest 0.000, with prop_var 0.431, binom_test 0.970, binomtest 0.970
0 of 100 below 1%: proportions_ztest 0.000, with prop_var 0.157, binom_test 0.366, binomtest 0.366
1 of 100 below 5%: proportions_ztest 0.000, with prop_var 0.033, binom_test 0.037, binomtest 0.037
5 of 100 below 10%: proportions_ztest 0.011, with prop_var 0.048, binom_test 0.058, binomtest 0.058
END
