#!/usr/bin/env bash
# Python's statistics module (3.8 and later), against numpy 2.3.5.
#
# Guess: statistics.quantiles([1, ..., 10], n=20)[-1], the 95th percentile, lies between 9 and 10.
#
# Really: it is 10.45, above every value. The default method takes the values for a sample of a wider population and
# extrapolates; the 99th percentile of 1 and 2 is 2.97, and the first can be below zero.
#
# Matters: a webhook or a Job that judges a canary by such a p95 fails a threshold that no request exceeded, and more
# so the fewer there were. Say method="inclusive", which is what numpy and PromQL's quantile() do.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python numpy==2.3.5 <<'PY'
import statistics

import numpy

values = list(range(1, 11))
print("statistics", statistics.quantiles(values, n=20)[-1], statistics.quantiles([1, 2], n=100)[-1], statistics.quantiles([0.1, 1], n=20)[0])
print("inclusive", statistics.quantiles(values, n=20, method="inclusive")[-1])
print("numpy", round(float(numpy.percentile(values, 95)), 2))
PY
expect <<'END'
statistics 10.45 2.97 -0.665
inclusive 9.55
numpy 9.55
END
