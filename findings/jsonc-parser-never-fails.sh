#!/usr/bin/env bash
# jsonc-parser 3.3.1, against comment-json 5.0.0 and json5 2.2.3 (JavaScript).
#
# Guess: parse() of what is not JSON throws, as JSON.parse() does.
#
# Really: it never throws. It returns what it could read: {} for a value that is missing, the first half for an answer that was
# cut off, 0 for "007", and undefined for a page of HTML. The errors are in an array that has to be given as the second
# parameter. json5 throws for each of them, and so does comment-json, but for a value that is missing.
#
# Matters: a gate that reads settings or answers with comments this way sees `{}` where the file is broken, and
# `(limits.max ?? 100)` takes the default. Give the array, and fail if it has entries.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node jsonc-parser@3.3.1 comment-json@5.0.0 json5@2.2.3 <<'JS'
import * as comments from "comment-json";
import json5 from "json5";
import jsonc from "jsonc-parser";

const outcome = (read, text) => {
  try {
    return JSON.stringify(read(text));
  } catch (error) {
    return `throws ${error.name}`;
  }
};
for (const text of ['{"max": }', '{"max": 5, "min": 1', '{"max": 5 "min": 1}', "<html>503</html>", "", "007"]) {
  const errors = [];
  const seen = outcome((value) => jsonc.parse(value, errors), text);
  console.log(`${text || "nothing"}: jsonc-parser ${seen} (${errors.length} errors),`,
    `comment-json ${outcome(comments.parse, text)}, json5 ${outcome(json5.parse, text)}`);
}
JS
expect <<'END'
{"max": }: jsonc-parser {} (1 errors), comment-json {}, json5 throws SyntaxError
{"max": 5, "min": 1: jsonc-parser {"max":5,"min":1} (1 errors), comment-json throws SyntaxError, json5 throws SyntaxError
{"max": 5 "min": 1}: jsonc-parser {"max":5,"min":1} (1 errors), comment-json throws SyntaxError, json5 throws SyntaxError
<html>503</html>: jsonc-parser undefined (4 errors), comment-json throws Error, json5 throws SyntaxError
nothing: jsonc-parser undefined (1 errors), comment-json throws SyntaxError, json5 throws SyntaxError
007: jsonc-parser 0 (1 errors), comment-json throws SyntaxError, json5 throws SyntaxError
END
