#!/usr/bin/env bash
# nunjucks 3.2.4 (JavaScript), against Jinja2 3.1.6 (Python).
#
# Guess: in two engines of the same language of templates, {% if failed %} leaves out an empty list or map.
#
# Really: for nunjucks both are true, as in JavaScript. And 0 == "0" holds there.
#
# Matters: an alert or a comment of a bot says "failed checks:" with nothing behind it for every good release, and a
# generated manifest has `metrics:` without entries, which is null. Write {% if failed.length %}, which Jinja does not
# know, or {% if failed | length %}, which both do.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/template" <<'END'
{% if failed %}failed{% else %}all well{% endif %}, {% if failed | length %}failed{% else %}all well{% endif %}, {% if labels %}labels{% else %}no labels{% endif %}, {% if count == "0" %}none{% else %}{{ count }} requests{% endif %}
END
with_node nunjucks@3.2.4 <<JS
import { readFileSync } from "node:fs";
import nunjucks from "nunjucks";

const text = readFileSync("$work/template", "utf8").trim();
console.log("nunjucks:", nunjucks.renderString(text, { failed: [], labels: {}, count: 0 }));
JS
with_python Jinja2==3.1.6 <<PY
import jinja2

print("Jinja2:", jinja2.Template(open("$work/template").read()).render(failed=[], labels={}, count=0))
PY
expect <<'END'
nunjucks: failed, all well, labels, none
Jinja2: all well, all well, no labels, 0 requests
END
