#!/usr/bin/env bash
# nunjucks 3.2.4 (JavaScript), against Jinja2 3.1.6 (Python).
#
# Guess: selectattr("status", "equalto", "failed") and `for check in checks if …` do what they do in Jinja2, whose
# language nunjucks follows, or they are errors.
#
# Really: selectattr() ignores the test and its argument and keeps every entry whose attribute is true; rejectattr()
# drops every one. select() does apply its test. A loop with `if` is a loop over the value of an inline `if`, in which
# the variable of the loop is not defined yet, so it runs zero times. None of this is an error.
#
# Matters: a template for a message or a gate that moves from Ansible to Backstage, which uses nunjucks, reports three
# failed checks where one has failed, or none at all. Write an `if` inside the loop.
#
# Seen, for three checks of which one has failed: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/templates.json" <<'END'
{
  "selectattr": "{{ checks | selectattr('status', 'equalto', 'failed') | list | length }}",
  "rejectattr": "{{ checks | rejectattr('status', 'equalto', 'failed') | list | length }}",
  "select": "{{ [1, 2, 3] | select('gt', 2) | list | length }}",
  "for if": "{% for check in checks if check.status == 'failed' %}{{ check.name }}{% endfor %}",
  "if in for": "{% for check in checks %}{% if check.status == 'failed' %}{{ check.name }}{% endif %}{% endfor %}"
}
END
export TEMPLATES="$work/templates.json"
with_node nunjucks@3.2.4 <<'JS'
import fs from "node:fs";
import nunjucks from "nunjucks";

const checks = [["latency", "passed"], ["success", "failed"], ["errors", "passed"]].map(([name, status]) => ({ name, status }));
for (const [name, template] of Object.entries(JSON.parse(fs.readFileSync(process.env.TEMPLATES)))) {
  console.log(`nunjucks, ${name}: ${nunjucks.renderString(template, { checks }) || "nothing"}`);
}
JS
with_python Jinja2==3.1.6 <<'PY'
import json
import os

import jinja2

checks = [{"name": name, "status": status} for name, status in (("latency", "passed"), ("success", "failed"), ("errors", "passed"))]
with open(os.environ["TEMPLATES"]) as file:
    for name, template in json.load(file).items():
        print(f"Jinja2, {name}: {jinja2.Template(template).render(checks=checks)}")
PY
expect <<'END'
nunjucks, selectattr: 3
nunjucks, rejectattr: 0
nunjucks, select: 1
nunjucks, for if: nothing
nunjucks, if in for: success
Jinja2, selectattr: 1
Jinja2, rejectattr: 2
Jinja2, select: 1
Jinja2, for if: success
Jinja2, if in for: success
END
