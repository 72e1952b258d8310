#!/usr/bin/env bash
# gbstats 0.8.0 (Python), the statistics engine of GrowthBook.
#
# Guess: a primary without failures and a canary that fails a tenth of 1000 requests are found to differ; so are one failure
# and 100.
#
# Really: without failures on the side that is compared with, p is 1 and the chance of a difference a half, whatever the
# other side does: a relative difference has no value then, and that is said in error_message only. With one failure against
# 100 p is 0.32, since the error of a quotient is that of the rare failure. With difference_type "absolute" 1 against 100 is
# found; 0 against 100 is not.
#
# Matters: the better the primary, the less this engine sees: a release that fails always passes beside a faultless one.
# Counting successes does not help: a side without failures has no variance, and p is 1 again. Take what has an
# error_message for undecided.
#
# Seen, failures of 1000 on each side: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python gbstats==0.8.0 <<'PY'
import warnings

warnings.simplefilter("ignore")
from gbstats.bayesian.tests import EffectBayesianABTest
from gbstats.frequentist.tests import FrequentistConfig, TwoSidedTTest
from gbstats.models.statistics import ProportionStatistic


def told(primary, canary):
    sides = [ProportionStatistic(n=1000, sum=count) for count in (primary, canary)]
    bayes = EffectBayesianABTest(*sides).compute_result()
    relative = TwoSidedTTest(*sides).compute_result()
    absolute = TwoSidedTTest(*sides, FrequentistConfig(difference_type="absolute")).compute_result()
    return f"p {relative.p_value:.2g}, absolute {absolute.p_value:.2g}, chance {bayes.chance_to_win:.2f}, {relative.error_message}"


for primary, canary in ((0, 0), (0, 100), (0, 1000), (1, 100), (20, 100)):
    print(f"failures {primary} and {canary}:", told(primary, canary))
for primary, canary in ((1000, 900), (999, 900)):
    print(f"successes {primary} and {canary}:", told(primary, canary))
PY
expect <<'END'
failures 0 and 0: p 1, absolute 1, chance 0.50, ZERO_NEGATIVE_BASELINE_VARIATION
failures 0 and 100: p 1, absolute 1, chance 0.50, ZERO_NEGATIVE_BASELINE_VARIATION
failures 0 and 1000: p 1, absolute 1, chance 0.50, ZERO_NEGATIVE_BASELINE_VARIATION
failures 1 and 100: p 0.32, absolute 0, chance 0.84, None
failures 20 and 100: p 0.00092, absolute 3.9e-14, chance 1.00, None
successes 1000 and 900: p 1, absolute 1, chance 0.50, ZERO_NEGATIVE_VARIANCE
successes 999 and 900: p 0, absolute 0, chance 0.00, None
END
