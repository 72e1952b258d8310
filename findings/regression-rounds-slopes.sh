#!/usr/bin/env bash
# regression 2.0.1, against simple-statistics 7.12.1 (JavaScript).
#
# Guess: regression.linear() calculates with all digits; `precision: 2` rounds what is printed.
#
# Really: the slope is rounded to two digits before the intercept and all predictions are calculated from it. A duration
# that grows by 4 ms a minute, in seconds, has the slope 0 and stays where it is. Exponential growth of 0.2 % a minute
# is lost in the same way.
#
# Matters: a judge that extrapolates durations in seconds, shares between 0 and 1, or a leak in GiB does not see a slow
# trend, and takes 6 ms a minute for 10 ms. Set `precision` to ten, or use another library.
#
# Seen, for 100 ms that grow by so much a minute: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node regression@2.0.1 simple-statistics@7.12.1 <<'JS'
import regression from "regression";
import { linearRegression, linearRegressionLine } from "simple-statistics";

for (const step of [0.004, 0.006]) {
  const minutes = [...Array(21).keys()].map((minute) => [minute, 0.1 + step * minute]);
  const print = (name, slope, after) => console.log(`${step * 1000} ms, ${name}: slope ${+slope.toFixed(6)}, after 100 minutes ${+after.toFixed(3)} s`);
  for (const precision of [undefined, 10]) {
    const { equation, predict } = regression.linear(minutes, precision && { precision });
    print(`regression${precision ? `, precision ${precision}` : ""}`, equation[0], predict(100)[1]);
  }
  const line = linearRegression(minutes);
  print("simple-statistics", line.m, linearRegressionLine(line)(100));
}
const grown = [...Array(21).keys()].map((minute) => [minute, 1.002 ** minute]);
console.log(`0.2 %, regression.exponential: ${regression.exponential(grown).string}`);
JS
expect <<'END'
4 ms, regression: slope 0, after 100 minutes 0.14 s
4 ms, regression, precision 10: slope 0.004, after 100 minutes 0.5 s
4 ms, simple-statistics: slope 0.004, after 100 minutes 0.5 s
6 ms, regression: slope 0.01, after 100 minutes 1.06 s
6 ms, regression, precision 10: slope 0.006, after 100 minutes 0.7 s
6 ms, simple-statistics: slope 0.006, after 100 minutes 0.7 s
0.2 %, regression.exponential: y = 1e^(0x)
END
