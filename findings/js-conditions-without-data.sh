#!/usr/bin/env bash
# filtrex 3.1.0, expr-eval 2.0.2 and jexl 2.3.0, against mathjs 15.2.0 (JavaScript).
#
# Guess: a condition over a value that is missing or null throws, or is false, in each package that evaluates expressions
# of users.
#
# Really: filtrex returns an error object, which is true in an `if`, and so do texts where it wants numbers. For expr-eval
# and jexl null is less than 5; what is missing throws in one and is false in the other. mathjs throws each time.
#
# Matters: a gate that opens by `if (condition(values))` with "failures < 5" opens when the metric has no value: at once
# with null, and with filtrex for a misspelled name too. Ask for === true, and for numbers before.
#
# Seen, what "failures < 5" is, and whether an `if` is taken: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node filtrex@3.1.0 expr-eval@2.0.2 jexl@2.3.0 mathjs@15.2.0 <<'JS'
import exprEval from "expr-eval";
import { compileExpression } from "filtrex";
import jexl from "jexl";
import { evaluate } from "mathjs";

const engines = {
  filtrex: (text, values) => compileExpression(text)(values),
  "expr-eval": (text, values) => exprEval.Parser.evaluate(text, values),
  jexl: (text, values) => jexl.evalSync(text, values),
  mathjs: (text, values) => evaluate(text, values),
};
for (const [name, values] of [["missing", {}], ["null", { failures: null }], ["the text 3", { failures: "3" }]]) {
  for (const [engine, ask] of Object.entries(engines)) {
    try {
      const value = ask("failures < 5", { ...values });
      console.log(`${name}: ${engine} ${value instanceof Error ? "returns an error" : value}, ${value ? "taken" : "not taken"}`);
    } catch (error) {
      console.log(`${name}: ${engine} throws`);
    }
  }
}
JS
expect <<'END'
missing: filtrex returns an error, taken
missing: expr-eval throws
missing: jexl false, not taken
missing: mathjs throws
null: filtrex returns an error, taken
null: expr-eval true, taken
null: jexl true, taken
null: mathjs throws
the text 3: filtrex returns an error, taken
the text 3: expr-eval true, taken
the text 3: jexl true, taken
the text 3: mathjs true, taken
END
