#!/usr/bin/env bash
# mustache 4.2.0 (JavaScript), chevron 0.14.0 (Python), against handlebars 4.7.10 and nunjucks 3.2.4 (JavaScript).
#
# Guess: {{threshold}} in a section over the metrics of a Canary is empty for a metric without a threshold, as it is in
# Handlebars, which extends Mustache.
#
# Really: Mustache looks a name that an entry of a list does not have up in the objects around it. The metric shows the
# threshold of the Canary. A block on a missing name behaves the same, so that every metric seems to have an error as
# soon as the Canary has one. Handlebars and nunjucks look in the entry only.
#
# Matters: a chat message or a generated manifest shows a limit, a message or an image that belongs to something else,
# and only for entries that lack an optional field. Give every entry all fields, empty or null where there is no value.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/canary.json" <<'END'
{
  "name": "shop", "threshold": 5, "message": "image not found",
  "metrics": [{"name": "success", "threshold": 99, "message": "too low"}, {"name": "latency"},
    {"name": "errors", "threshold": "", "message": null}]
}
END
export CANARY="$work/canary.json"
with_node mustache@4.2.0 handlebars@4.7.10 nunjucks@3.2.4 <<'JS'
import fs from "node:fs";
import Handlebars from "handlebars";
import Mustache from "mustache";
import nunjucks from "nunjucks";

const canary = JSON.parse(fs.readFileSync(process.env.CANARY));
const section = "{{#metrics}}{{name}}={{threshold}} {{#message}}({{.}}) {{/message}}{{/metrics}}";
const each = "{{#each metrics}}{{name}}={{threshold}} {{#if message}}({{message}}) {{/if}}{{/each}}";
const loop = "{% for m in metrics %}{{ m.name }}={{ m.threshold }} {% if m.message %}({{ m.message }}) {% endif %}{% endfor %}";
console.log("mustache:", Mustache.render(section, canary).trim());
console.log("handlebars, the same template:", Handlebars.compile(section)(canary).trim());
console.log("handlebars, each:", Handlebars.compile(each)(canary).trim());
console.log("nunjucks:", nunjucks.renderString(loop, canary).trim());
JS
with_python chevron==0.14.0 <<'PY'
import json
import os

import chevron

with open(os.environ["CANARY"]) as file:
    canary = json.load(file)
print("chevron:", chevron.render("{{#metrics}}{{name}}={{threshold}} {{#message}}({{.}}) {{/message}}{{/metrics}}", canary).strip())
PY
expect <<'END'
mustache: success=99 (too low) latency=5 (image not found) errors=
handlebars, the same template: success=99 (too low) latency= errors=
handlebars, each: success=99 (too low) latency= errors=
nunjucks: success=99 (too low) latency= errors=
chevron: success=99 (too low) latency=5 (image not found) errors=
END
