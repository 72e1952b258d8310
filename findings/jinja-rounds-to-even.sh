#!/usr/bin/env bash
# Jinja2 3.1.6 (Python; Ansible), against nunjucks 3.2.4 (JavaScript).
#
# Guess: `{{ 5 * 0.5 | round }}` and `{{ (5 * 0.5) | round }}` are 3, and `{{ 10 / 2 }}` is 5.
#
# Really: a half is rounded to the even number, 2.5 to 2 and 3.5 to 4, and what comes out is written with a fraction: 2.0.
# So is each quotient: 5.0. Without parentheses 0.5 is rounded first, to 0. nunjucks, the same language for JavaScript,
# says 3 and 5, and 5 without parentheses.
#
# Matters: a playbook that gives a canary half of the replicas writes `replicas: 2.0`, which the API server refuses from
# clients that send it so (cue-quotients-are-fractions.sh); with `| int` behind it, 2 of 5, 4 of 7 and 0 of 1: a Deployment
# without pods. Write `(n * 0.5) | round(0, "ceil") | int`.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/texts" <<'TXT'
{{ (5 * 0.5) | round }}
{{ (7 * 0.5) | round }}
{{ (1 * 0.5) | round | int }}
{{ 5 * 0.5 | round }}
{{ 10 / 2 }}
{{ (5 * 0.5) | round(0, "ceil") | int }}
TXT
export TEXTS="$work/texts"
with_python Jinja2==3.1.6 <<'PY'
import os

from jinja2 import Template

for text in open(os.environ["TEXTS"]).read().splitlines():
    print(f"Jinja2: {text} is {Template(text).render()}")
PY
with_node nunjucks@3.2.4 <<'JS'
import { readFileSync } from "node:fs";
import nunjucks from "nunjucks";

for (const text of readFileSync(process.env.TEXTS, "utf8").trim().split("\n"))
  console.log(`nunjucks: ${text} is ${nunjucks.renderString(text, {})}`);
JS
expect <<'END'
Jinja2: {{ (5 * 0.5) | round }} is 2.0
Jinja2: {{ (7 * 0.5) | round }} is 4.0
Jinja2: {{ (1 * 0.5) | round | int }} is 0
Jinja2: {{ 5 * 0.5 | round }} is 0.0
Jinja2: {{ 10 / 2 }} is 5.0
Jinja2: {{ (5 * 0.5) | round(0, "ceil") | int }} is 3
nunjucks: {{ (5 * 0.5) | round }} is 3
nunjucks: {{ (7 * 0.5) | round }} is 4
nunjucks: {{ (1 * 0.5) | round | int }} is 1
nunjucks: {{ 5 * 0.5 | round }} is 5
nunjucks: {{ 10 / 2 }} is 5
nunjucks: {{ (5 * 0.5) | round(0, "ceil") | int }} is 3
END
