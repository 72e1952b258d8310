#!/usr/bin/env bash
# Bottleneck 1.6.0, against pandas 3.1.1 and polars 2.1.0 (Python).
#
# Guess: a moving mean over two values is that of these two: an infinite value, or a very large one, is gone from it two
# values later.
#
# Really: Bottleneck keeps a sum, adds what comes and takes off what goes. After one +Inf each mean is NaN to the end, and
# after one value of 1e17 the small ones are 0 and 0.1 instead of 0.25 and 0.35. Its move_max is right again, and so are
# pandas and polars.
#
# Matters: histogram_quantile is +Inf for a p99 above the last bucket. A judge that smooths durations sees NaN from the
# first such minute on: by `mean > limit` it never rolls back again. Leave out what is not finite first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python Bottleneck==1.6.0 numpy==2.3.5 pandas==3.1.1 polars==2.1.0 <<'PY'
import bottleneck
import numpy
import pandas
import polars

for title, values in {
    "one infinite": [1.0, numpy.inf, 3.0, 4.0, 5.0, 6.0],
    "one large": [0.1, 1e17, 0.2, 0.3, 0.4],
}.items():
    array = numpy.array(values)
    for name, means in {
        "Bottleneck": bottleneck.move_mean(array, 2),
        "Bottleneck, move_max": bottleneck.move_max(array, 2),
        "pandas": pandas.Series(array).rolling(2).mean(),
        "polars": polars.Series(values).rolling_mean(2),
    }.items():
        print(f"{title}, {name}:", *("-" if mean is None else f"{mean:g}" for mean in list(means)[1:]))
PY
expect <<'END'
one infinite, Bottleneck: inf inf nan nan nan
one infinite, Bottleneck, move_max: inf inf 4 5 6
one infinite, pandas: nan nan 3.5 4.5 5.5
one infinite, polars: inf inf 3.5 4.5 5.5
one large, Bottleneck: 5e+16 5e+16 0 0.1
one large, Bottleneck, move_max: 1e+17 1e+17 0.3 0.4
one large, pandas: 5e+16 5e+16 0.25 0.35
one large, polars: 5e+16 5e+16 0.25 0.35
END
