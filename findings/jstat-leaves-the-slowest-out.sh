#!/usr/bin/env bash
# jstat 1.9.6, against simple-statistics 7.12.1 and mathjs 15.2.0 (JavaScript).
#
# Guess: jStat.percentile(values, 0.99) is as that of a spreadsheet, whose PERCENTILE.INC its documentation names: between
# the two highest of ten values, close to the highest.
#
# Really: from the second highest value on it no longer interpolates: the p95 and the p99 of 20 values are the second
# highest, and the p95 of four is the third. Only k = 1 gives the highest.
#
# Matters: a load test or a judge with few durations never sees the slowest: 19 requests of 100 ms and one of 30 s have a
# p99 of 100 ms, where the other libraries say 24 s. Take another library, or the share of requests below a limit.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node jstat@1.9.6 simple-statistics@7.12.1 mathjs@15.2.0 <<'JS'
import jstat from "jstat";
import { quantileSeq } from "mathjs";
import { quantile } from "simple-statistics";

const durations = [...Array(19).fill(0.1), 30];
for (const [name, values] of [["19 times 0.1 and 30", durations], ["1, 9, 10, 100", [1, 9, 10, 100]]]) {
  for (const k of [0.5, 0.95, 0.99, 1]) {
    const [jStat, ss, mathjs] = [jstat.jStat.percentile(values, k), quantile(values, k), quantileSeq(values, k)];
    console.log(`p${k * 100} of ${name}: jStat ${jStat}, simple-statistics ${+ss.toFixed(3)}, mathjs ${+mathjs.toFixed(3)}`);
  }
}
JS
expect <<'END'
p50 of 19 times 0.1 and 30: jStat 0.1, simple-statistics 0.1, mathjs 0.1
p95 of 19 times 0.1 and 30: jStat 0.1, simple-statistics 1.595, mathjs 1.595
p99 of 19 times 0.1 and 30: jStat 0.1, simple-statistics 24.319, mathjs 24.319
p100 of 19 times 0.1 and 30: jStat 30, simple-statistics 30, mathjs 30
p50 of 1, 9, 10, 100: jStat 9.5, simple-statistics 9.5, mathjs 9.5
p95 of 1, 9, 10, 100: jStat 10, simple-statistics 86.5, mathjs 86.5
p99 of 1, 9, 10, 100: jStat 10, simple-statistics 97.3, mathjs 97.3
p100 of 1, 9, 10, 100: jStat 100, simple-statistics 100, mathjs 100
END
