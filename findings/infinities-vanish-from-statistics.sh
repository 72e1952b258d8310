#!/usr/bin/env bash
# numpy 2.3.5, pandas 3.1.1, against polars 2.1.0 (Python).
#
# Guess: the maximum of a window with +Inf in it is +Inf, and the median of 1, 2 and +Inf is 2, by percentile() as by
# median().
#
# Really: rolling(), expanding() and ewm() of pandas take +Inf for a missing value: with min_periods=1 the maximum of 0.1,
# +Inf and 0.1 is 0.1. percentile() of numpy and quantile() of pandas are NaN wherever the rank falls on a value whose
# neighbour is +Inf, and between two of them. Polars gives +Inf and 2.
#
# Matters: Prometheus answers +Inf for a p99 above the last bucket. A judge that smooths it by rolling() sees a fast canary
# in just those windows; one that takes a percentile over windows has NaN, and `NaN > limit` is false. Compare before you
# smooth, and ask for isinf first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python numpy==2.3.5 pandas==3.1.1 polars==2.1.0 <<'PY'
import warnings

warnings.simplefilter("ignore")
import numpy
import pandas
import polars

seconds = [0.1, float("inf"), 0.1, 0.1]
series = pandas.Series(seconds)
print("pandas, maximum of three:", series.rolling(3, min_periods=1).max().tolist())
print("pandas, maximum so far:", series.expanding().max().tolist(), "cummax:", series.cummax().tolist())
print("pandas, ewm:", series.ewm(alpha=0.5).mean().tolist())
print("polars, maximum of three:", polars.Series(seconds).rolling_max(3, min_samples=1).to_list())
infinity = float("inf")
for values, percent in (([1.0, 2.0, infinity], 50), ([1.0, 2.0, 3.0, infinity], 50), ([1.0, infinity, infinity], 75), ([0.1] * 98 + [infinity] * 2, 99)):
    name = values if len(values) < 5 else "98 of 0.1, 2 of inf"
    print(f"p{percent} of {name}: numpy {numpy.percentile(values, percent)}, pandas {pandas.Series(values).quantile(percent / 100)},", end=" ")
    print(f"polars {polars.Series(values).quantile(percent / 100, 'linear')}", *([f"numpy's median {numpy.median(values)}"] if percent == 50 else []))
PY
expect <<'END'
pandas, maximum of three: [0.1, 0.1, 0.1, 0.1]
pandas, maximum so far: [0.1, 0.1, 0.1, 0.1] cummax: [0.1, inf, inf, inf]
pandas, ewm: [0.1, 0.1, 0.1, 0.1]
polars, maximum of three: [0.1, inf, inf, inf]
p50 of [1.0, 2.0, inf]: numpy nan, pandas nan, polars 2.0 numpy's median 2.0
p50 of [1.0, 2.0, 3.0, inf]: numpy 2.5, pandas 2.5, polars 2.5 numpy's median 2.5
p75 of [1.0, inf, inf]: numpy nan, pandas nan, polars inf
p99 of 98 of 0.1, 2 of inf: numpy nan, pandas nan, polars inf
END
