#!/usr/bin/env bash
# pyarrow 26.0.1, against numpy 2.3.5, pandas 3.1.1 and polars 2.1.0 (Python).
#
# Guess: of 0.1, NaN and 5 the greatest value, the median and the mean are NaN in Arrow, where NaN is a value and null is
# none; and the deviation of samples is the one of statistics.stdev(), and of one value it is nothing.
#
# Really: max, quantile and tdigest leave NaN out, mean does not; numpy says NaN, and for polars it is the greatest value for
# the median and none for the maximum. stddev divides by n, and is 0 for one value; pandas and polars divide by n - 1.
#
# Matters: a judge over Parquet or Arrow that asks for the greatest p99 of the pods passes a canary one of whose pods has
# no traffic, and by the mean it does not. Three deviations of four pods are an eighth less than in pandas. Turn NaN
# into null, and give ddof=1.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python pyarrow==26.0.1 numpy==2.3.5 pandas==3.1.1 polars==2.1.0 <<'PY'
import numpy
import pandas
import polars
import pyarrow
from pyarrow import compute

values, pods = [0.1, float("nan"), 5.0], [1.0, 2.0, 3.0, 4.0]
array = pyarrow.array(values)
print("pyarrow: max", compute.max(array), "median", *compute.quantile(array, 0.5), "tdigest", *compute.tdigest(array, 0.99), "mean", compute.mean(array))
print("numpy: max", numpy.max(values), "median", numpy.quantile(values, 0.5))
print("polars: max", polars.Series(values).max(), "median", polars.Series(values).median())
print("deviation of four: pyarrow", round(compute.stddev(pyarrow.array(pods)).as_py(), 3), "with ddof=1",
      round(compute.stddev(pyarrow.array(pods), ddof=1).as_py(), 3), "pandas", round(pandas.Series(pods).std(), 3),
      "polars", round(polars.Series(pods).std(), 3))
print("of one: pyarrow", compute.stddev(pyarrow.array([5.0])), "pandas", pandas.Series([5.0]).std(), "polars", polars.Series([5.0]).std())
PY
expect <<'END'
pyarrow: max 5.0 median 2.55 tdigest 5.0 mean nan
numpy: max nan median nan
polars: max 5.0 median 5.0
deviation of four: pyarrow 1.118 with ddof=1 1.291 pandas 1.291 polars 1.291
of one: pyarrow 0.0 pandas nan polars None
END
