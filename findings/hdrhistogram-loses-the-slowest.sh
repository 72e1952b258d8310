#!/usr/bin/env bash
# hdrhistogram 0.10.8 (Python), hdr-histogram-js 3.0.1 (JavaScript), hdrhistogram-go 1.4.0.
#
# Guess: a value above the highest trackable one raises an error, or counts as the highest; and of one value of 1000
# every percentile is 1000.
#
# Really: Python returns False and Go an error that most callers drop: the value is lost. JavaScript takes what still
# fits its last bucket. And percentiles are upper ends of buckets: with two digits, of 1000 the median is 1003.
#
# Matters: with a bound of 60 s the requests that hung for 70 s are in no percentile, so that a canary whose slowest
# requests hang looks as good as before. Take a bound above the client's time-out, and look at what record returns.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python hdrhistogram==0.10.8 <<'PY'
from hdrh.histogram import HdrHistogram

histogram = HdrHistogram(1, 60000, 2)
for _ in range(9):
    histogram.record_value(1000)
print("Python: recorded", histogram.record_value(70000), "count", histogram.get_total_count(),
      "median", histogram.get_value_at_percentile(50), "p100", histogram.get_value_at_percentile(100))
PY
with_node hdr-histogram-js@3.0.1 <<'JS'
import hdr from "hdr-histogram-js";

const histogram = hdr.build({ lowestDiscernibleValue: 1, highestTrackableValue: 60000, numberOfSignificantValueDigits: 2 });
for (let i = 0; i < 9; i++) histogram.recordValue(1000);
histogram.recordValue(70000);
console.log("JavaScript: count", histogram.totalCount, "median", histogram.getValueAtPercentile(50), "p100",
  histogram.getValueAtPercentile(100));
JS
with_go github.com/HdrHistogram/hdrhistogram-go@v1.4.0 <<'GO'
package main

import (
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"
)

func main() {
	histogram := hdrhistogram.New(1, 60000, 2)
	histogram.RecordValues(1000, 9)
	err := histogram.RecordValue(70000)
	fmt.Println("Go:", err, "count", histogram.TotalCount(), "median", histogram.ValueAtPercentile(50), "p100", histogram.ValueAtPercentile(100))
}
GO
expect <<'END'
Python: recorded False count 9 median 1003 p100 1003
JavaScript: count 10 median 1003 p100 70143
Go: value 70000 is too large to be recorded count 9 median 1003 p100 1003
END
