#!/usr/bin/env bash
# scipy 1.17.1 (Python).
#
# Guess: combine_pvalues of a metric that is certainly worse (p = 1e-10) and of one that is exactly the same on both sides
# (p = 1) is still very small, with each of its methods.
#
# Really: with stouffer, pearson and mudholkar_george it is 1: one p of 1 outweighs whatever the others say. A p of 0 and
# one of 1 make NaN. Only fisher and tippett do as guessed.
#
# Matters: exact tests give p = 1 for whatever does not differ, as two sides without a restart in any window. A judge that
# combines its metrics by Stouffer's method, as is advised where metrics have weights, promotes a canary that fails for
# that. Combine by fisher, or judge each metric and correct.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python scipy==1.17.1 numpy==2.3.5 <<'PY'
import warnings

warnings.simplefilter("ignore")
from scipy.stats import combine_pvalues, fisher_exact

same = fisher_exact([[0, 500], [0, 500]]).pvalue
print("no restarts on both sides: p =", same)
for method in ("fisher", "tippett", "stouffer", "pearson", "mudholkar_george"):
    pairs = [(1e-10, same), (1e-10, 0.999), (0.0, same)]
    print(method, *(f"{combine_pvalues(pair, method=method).pvalue:.1g}" for pair in pairs))
PY
expect <<'END'
no restarts on both sides: p = 1.0
fisher 2e-09 2e-09 0
tippett 2e-10 2e-10 0
stouffer 1 0.01 nan
pearson 1 1 1
mudholkar_george 1 4e-06 nan
END
