#!/usr/bin/env bash
# scipy 1.17.1 (Python).
#
# Guess: anderson_ksamp gives p near 1 for two samples that are alike, and a p as small as the difference is clear.
#
# Really: p is never above 0.25 and never below 0.001, which are the ends of a table; a warning tells of it. With
# PermutationMethod it is what was guessed.
#
# Matters: a judge that promotes by `p > 0.3` never promotes, one that corrects 0.001 for sixty metrics never finds a fault,
# and combined p-values, or a score made of p, say that equal versions differ. Give the method.
#
# Seen, p of the same values, of nearly the same, and of values far apart: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python scipy==1.17.1 numpy==2.3.5 <<'PY'
import warnings

warnings.simplefilter("ignore")
import numpy
from scipy.stats import PermutationMethod, anderson_ksamp

one = numpy.arange(50.0)
for name, other in (("same", one), ("nearly", one + 0.5), ("far", one + 1000)):
    drawn = anderson_ksamp([one, other], method=PermutationMethod(n_resamples=1999, rng=numpy.random.default_rng(1)))
    print(name, f"table: {anderson_ksamp([one, other]).pvalue:.3f}", f"permutations: {drawn.pvalue:.3f}")
PY
expect <<'END'
same table: 0.250 permutations: 1.000
nearly table: 0.250 permutations: 1.000
far table: 0.001 permutations: 0.001
END
