#!/usr/bin/env bash
# json-rules-engine 7.3.1 (JavaScript).
#
# Guess: a fact that is null, NaN or "7 ms" is an error, or a number: of "greater than 5" and "at most 5" one holds.
#
# Really: for what is not a number no comparison holds, without an error, and for a text that only begins with one neither, so
# that "7 ms" is neither above 5 nor below, and "99,5" not below 100. A text such as "7" is compared as a number, and is not
# equal to 7.
#
# Matters: a rule that stops the canary for more than 5 failures never fires without data, or for a value with its unit. Write the
# rule that lets it pass, and stop where that does not fire.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node json-rules-engine@7.3.1 <<'JS'
import rules from "json-rules-engine";

const holds = async (operator, value, failures) => {
  const engine = new rules.Engine();
  engine.addRule({ conditions: { all: [{ fact: "failures", operator, value }] }, event: { type: "seen" } });
  return (await engine.run({ failures })).events.length > 0;
};
for (const failures of [7, "7", "7 ms", "99,5", null, NaN, true]) {
  const seen = [];
  for (const [operator, value] of [["greaterThan", 5], ["lessThanInclusive", 5], ["lessThan", 100], ["equal", 7]]) {
    seen.push(`${operator} ${value} ${await holds(operator, value, failures)}`);
  }
  console.log(`${typeof failures === "string" ? JSON.stringify(failures) : failures}: ${seen.join(", ")}`);
}
JS
expect <<'END'
7: greaterThan 5 true, lessThanInclusive 5 false, lessThan 100 true, equal 7 true
"7": greaterThan 5 true, lessThanInclusive 5 false, lessThan 100 true, equal 7 false
"7 ms": greaterThan 5 false, lessThanInclusive 5 false, lessThan 100 false, equal 7 false
"99,5": greaterThan 5 false, lessThanInclusive 5 false, lessThan 100 false, equal 7 false
null: greaterThan 5 false, lessThanInclusive 5 false, lessThan 100 false, equal 7 false
NaN: greaterThan 5 false, lessThanInclusive 5 false, lessThan 100 false, equal 7 false
true: greaterThan 5 false, lessThanInclusive 5 false, lessThan 100 false, equal 7 false
END
