#!/usr/bin/env bash
# tea-tasting 1.14.0 (Python), with pandas 3.1.1 and scipy 1.17.1.
#
# Guess: no failure of 100 against 100 of 100 is the clearest difference there is, with p near 0.
#
# Really: Mean says NaN, since neither side has a variance, and NaN for no failures on both sides as well. With 30 of 100 it says
# 0.000000003. Proportion says 1e-60, and p = 1 for no failures on both sides. The relative difference to a primary without failures
# is infinite.
#
# Matters: a judge by `pvalue < 0.05` rolls a canary back that fails a third of its requests, and promotes one that fails all of
# them. Take Proportion for shares, and stop where p is NaN.
#
# Seen, failures of 100 of the primary and the canary: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python tea-tasting==1.14.0 pandas==3.1.1 scipy==1.17.1 numpy==2.4.6 <<'PY'
import warnings

import pandas
import tea_tasting

warnings.simplefilter("ignore")
for primary, canary in ((0, 0), (0, 30), (0, 100), (5, 14)):
    table = pandas.DataFrame({
        "variant": [0] * 100 + [1] * 100,
        "failed": [1] * primary + [0] * (100 - primary) + [1] * canary + [0] * (100 - canary),
    })
    result = tea_tasting.Experiment(mean=tea_tasting.Mean("failed"), share=tea_tasting.Proportion("failed")).analyze(table)
    print(f"{primary} and {canary}: Mean p {result['mean'].pvalue:.1e}, Proportion p {result['share'].pvalue:.1e},",
          f"relative {result['mean'].rel_effect_size:.2f}, p < 0.05 {bool(result['mean'].pvalue < 0.05)}")
PY
expect <<'END'
0 and 0: Mean p nan, Proportion p 1.0e+00, relative nan, p < 0.05 False
0 and 30: Mean p 3.1e-09, Proportion p 2.2e-09, relative inf, p < 0.05 True
0 and 100: Mean p nan, Proportion p 1.2e-60, relative inf, p < 0.05 False
5 and 14: Mean p 3.0e-02, Proportion p 3.2e-02, relative 1.80, p < 0.05 True
END
