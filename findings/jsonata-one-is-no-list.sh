#!/usr/bin/env bash
# jsonata 2.2.2 (JavaScript; the language of Node-RED and of AWS Step Functions).
#
# Guess: data.result.value is a list, of one entry where Prometheus answers with one series and of none where it finds
# nothing; and a != b is the opposite of a = b.
#
# Really: a list of one is its entry, a list of none is nothing at all, and the functions that filter give the object too.
# A comparison with what is missing is neither: = and != are both false, < is nothing, and so is $not of it.
#
# Matters: an expression that was tried out with one pod fails with two ($number) or goes on with another type, and a gate
# `$not(rate > 0.05)` gets no answer where the metric is missing, which is no and yes by what reads it. Write [] behind a
# path to keep a list, and ask $exists first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node jsonata@2.2.2 <<'JS'
import jsonata from "jsonata";

const series = [
  { pod: "a", rate: "0.01" },
  { pod: "b", rate: "0.5" },
];
for (const text of [
  "result.pod",
  "result.pod[]",
  "$filter(result, function($one) { $one.pod = 'a' })",
  "$number(result.rate) < 0.05",
  "result.pod = 'a'",
  "result.pod != 'a'",
  "$number(result.rate) > 0.05",
  "$not($number(result.rate) > 0.05)",
]) {
  const answers = [0, 1, 2].map((count) =>
    jsonata(text).evaluate({ result: series.slice(0, count) }).then((value) => JSON.stringify(value) ?? "nothing", () => "error"),
  );
  console.log(text, "|", (await Promise.all(answers)).join(" | "));
}
JS
expect <<'END'
result.pod | nothing | "a" | ["a","b"]
result.pod[] | nothing | ["a"] | ["a","b"]
$filter(result, function($one) { $one.pod = 'a' }) | nothing | {"pod":"a","rate":"0.01"} | {"pod":"a","rate":"0.01"}
$number(result.rate) < 0.05 | nothing | true | error
result.pod = 'a' | false | true | false
result.pod != 'a' | false | false | true
$number(result.rate) > 0.05 | nothing | false | error
$not($number(result.rate) > 0.05) | nothing | true | error
END
