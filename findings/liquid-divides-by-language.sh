#!/usr/bin/env bash
# liquidjs 10.30.1 (JavaScript), against python-liquid 2.3.6.
#
# Guess: one Liquid template gives the same text in each language.
#
# Really: `{{ failed | divided_by: total }}` of whole numbers is a fraction in JavaScript, and cut to a whole number in Python,
# as in Ruby. A half is rounded up in JavaScript and to the even number in Python. A text is compared with a number in
# JavaScript, and an error in Python.
#
# Matters: a share of failures in a message, or in a query that is made by a template, is 0 in Python until all requests
# fail. Multiply first, or divide by a fraction: `divided_by: 4.0`.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/templates" <<'TXT'
{{ failed | divided_by: total }}
{{ failed | times: 1.0 | divided_by: total }}
{{ failed | times: 100 | divided_by: total }}
{{ half | round }}
{{ share | round: 1 }}
{% if text > 5 %}above{% else %}below{% endif %}
TXT
export TEMPLATES="$work/templates"
with_node liquidjs@10.30.1 <<'JS'
import fs from "node:fs";
import { Liquid } from "liquidjs";

const values = { failed: 3, total: 4, half: 2.5, share: 99.95, text: "10" };
for (const text of fs.readFileSync(process.env.TEMPLATES, "utf8").trim().split("\n")) {
  console.log(`liquidjs ${text}: ${new Liquid().parseAndRenderSync(text, values)}`);
}
JS
with_python python-liquid==2.3.6 <<'PY'
import os

import liquid

values = {"failed": 3, "total": 4, "half": 2.5, "share": 99.95, "text": "10"}
with open(os.environ["TEMPLATES"]) as file:
    for text in file.read().splitlines():
        try:
            print(f"python-liquid {text}: {liquid.Environment().from_string(text).render(**values)}")
        except liquid.exceptions.LiquidTypeError:
            print(f"python-liquid {text}: refused")
PY
expect <<'END'
liquidjs {{ failed | divided_by: total }}: 0.75
liquidjs {{ failed | times: 1.0 | divided_by: total }}: 0.75
liquidjs {{ failed | times: 100 | divided_by: total }}: 75
liquidjs {{ half | round }}: 3
liquidjs {{ share | round: 1 }}: 100
liquidjs {% if text > 5 %}above{% else %}below{% endif %}: above
python-liquid {{ failed | divided_by: total }}: 0
python-liquid {{ failed | times: 1.0 | divided_by: total }}: 0.75
python-liquid {{ failed | times: 100 | divided_by: total }}: 75
python-liquid {{ half | round }}: 2
python-liquid {{ share | round: 1 }}: 100.0
python-liquid {% if text > 5 %}above{% else %}below{% endif %}: refused
END
