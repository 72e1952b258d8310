#!/usr/bin/env bash
# @bufbuild/cel 0.6.1 (JavaScript).
#
# Guess: run() throws when an expression cannot be evaluated, or gives undefined.
#
# Really: it returns the error. An object is truthy in JavaScript, so that `if (run(condition, values))` takes an error
# for "yes". A misspelled name and a missing key are such errors; only a syntax error throws.
#
# Matters: a gate webhook written so opens when its condition is broken. Ask for `=== true`.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @bufbuild/cel@0.6.1 <<'JS'
import { run, isCelError } from "@bufbuild/cel";

for (const text of ["result < 0.5", "reslut < 0.5", "labels.missing == 'a'"]) {
  const told = run(text, { result: 0.9, labels: {} });
  console.log(text, "error:", isCelError(told), "opens:", told ? "yes" : "no");
}
JS
expect <<'END'
result < 0.5 error: false opens: no
reslut < 0.5 error: true opens: yes
labels.missing == 'a' error: true opens: yes
END
