#!/usr/bin/env bash
# scipy 1.17.1, with numpy 2.4.6 (Python).
#
# Guess: the bootstrap interval of the mean of 20 zeros is from 0 to 0.
#
# Really: with BCa, the method that is used if none is named, it is NaN to NaN, for one sample and for a difference of two.
# method="percentile" and "basic" say 0 to 0. With one failure of 20 all three give an interval, that of "basic" from -0.05.
#
# Matters: a judge by `interval.high < 0.01` rolls back a canary without a failure beside a primary without one. Say
# method="percentile", or decide the case of no failures before.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python scipy==1.17.1 numpy==2.4.6 <<'PY'
import warnings

import numpy
import scipy.stats

warnings.simplefilter("ignore")


def difference(one, two, axis=-1):
    return numpy.mean(two, axis=axis) - numpy.mean(one, axis=axis)


zeros = [0.0] * 20
one = [0.0] * 19 + [1.0]
for name, samples, statistic in (
    ("mean of 20 zeros", (zeros,), numpy.mean), ("difference of zeros to zeros", (zeros, zeros), difference),
    ("mean with one failure", (one,), numpy.mean), ("difference of zeros to one failure", (zeros, one), difference),
):
    for method in ("BCa", "percentile", "basic"):
        interval = scipy.stats.bootstrap(samples, statistic, method=method, rng=1).confidence_interval
        print(f"{name}, {method}: {interval.low:.2f} to {interval.high:.2f}, high < 0.01 {bool(interval.high < 0.01)}")
PY
expect <<'END'
mean of 20 zeros, BCa: nan to nan, high < 0.01 False
mean of 20 zeros, percentile: 0.00 to 0.00, high < 0.01 True
mean of 20 zeros, basic: 0.00 to 0.00, high < 0.01 True
difference of zeros to zeros, BCa: nan to nan, high < 0.01 False
difference of zeros to zeros, percentile: 0.00 to 0.00, high < 0.01 True
difference of zeros to zeros, basic: 0.00 to 0.00, high < 0.01 True
mean with one failure, BCa: 0.00 to 0.25, high < 0.01 False
mean with one failure, percentile: 0.00 to 0.15, high < 0.01 False
mean with one failure, basic: -0.05 to 0.10, high < 0.01 False
difference of zeros to one failure, BCa: 0.00 to 0.25, high < 0.01 False
difference of zeros to one failure, percentile: 0.00 to 0.15, high < 0.01 False
difference of zeros to one failure, basic: -0.05 to 0.10, high < 0.01 False
END
