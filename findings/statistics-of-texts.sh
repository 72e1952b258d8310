#!/usr/bin/env bash
# simple-statistics 7.12.1, jstat 1.9.6 and d3-array 3.2.5, against mathjs 15.2.0 and stats-lite 2.2.0 (JavaScript).
#
# Guess: the values of an answer of Prometheus, which come as texts ("9", "10"), are either taken for numbers or refused.
#
# Really: the first three go on with the texts. The greatest of "9", "10" and "100" is "9" for all three; the mean is
# 33369.67 for jStat, which puts the texts behind each other, and NaN for simple-statistics; jStat's median of "9" and
# "10" is 455. d3's mean and median are right, as are mathjs and stats-lite.
#
# Matters: a bot in JavaScript that compares the worst pod of a canary with a limit passes "100" because "9" is greater;
# one that takes a median rolls everything back. Map the values by Number first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node simple-statistics@7.12.1 jstat@1.9.6 d3-array@3.2.5 mathjs@15.2.0 stats-lite@2.2.0 <<'JS'
import * as d3 from "d3-array";
import jstat from "jstat";
import * as mathjs from "mathjs";
import * as ss from "simple-statistics";
import lite from "stats-lite";

const { jStat } = jstat;
const three = ["9", "10", "100"];
const two = ["9", "10"];
const seen = (library, values) => console.log(library, JSON.stringify(values));
seen("d3-array", { max: d3.max(three), mean: d3.mean(three), median: d3.median(two) });
seen("simple-statistics", { max: ss.max(three), mean: String(ss.mean(three)), median: ss.median(two) });
seen("jStat", { max: jStat.max(three), sum: jStat.sum(three), mean: jStat.mean(three), median: jStat.median(two) });
seen("mathjs", { max: mathjs.max(three), mean: mathjs.mean(three), median: mathjs.median(two) });
seen("stats-lite", { sum: lite.sum(three), mean: lite.mean(three), median: lite.median(two) });
JS
expect <<'END'
d3-array {"max":"9","mean":39.666666666666664,"median":9.5}
simple-statistics {"max":"9","mean":"NaN","median":null}
jStat {"max":"9","sum":"0100109","mean":33369.666666666664,"median":455}
mathjs {"max":100,"mean":39.666666666666664,"median":9.5}
stats-lite {"sum":119,"mean":39.666666666666664,"median":9.5}
END
