#!/usr/bin/env bash
# liquidjs 10.30.1 (JavaScript) and python-liquid 2.3.6, against nunjucks 3.2.4, handlebars 4.7.10 and Jinja2 3.1.6.
#
# Guess: `{% if failed %}` does not hold for 0, nor for an empty text.
#
# Really: in Liquid only nil and false are false. 0, 0.0, an empty text and an empty list are true, in both languages and
# without an error. In nunjucks and Jinja2, which write the same line, 0 and "" are false.
#
# Matters: a message or a manifest made by Liquid says "failed" of each canary with 0 failures, and a block that stands behind
# `{% if host %}` is there for an empty host. Write `{% if failed > 0 %}` and `{% if host != "" %}`.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node liquidjs@10.30.1 nunjucks@3.2.4 handlebars@4.7.10 <<'JS'
import Handlebars from "handlebars";
import { Liquid } from "liquidjs";
import nunjucks from "nunjucks";

const text = "{% if failed %}failed{% else %}well{% endif %}";
for (const failed of [0, "", [], false]) {
  const seen = [
    `liquidjs ${new Liquid().parseAndRenderSync(text, { failed })}`,
    `nunjucks ${nunjucks.renderString(text, { failed })}`,
    `handlebars ${Handlebars.compile("{{#if failed}}failed{{else}}well{{/if}}")({ failed })}`,
  ];
  console.log(`${JSON.stringify(failed)}: ${seen.join(", ")}`);
}
JS
with_python python-liquid==2.3.6 Jinja2==3.1.6 <<'PY'
import jinja2
import liquid

text = "{% if failed %}failed{% else %}well{% endif %}"
for failed in [0, "", [], False]:
    of_liquid = liquid.Environment().from_string(text).render(failed=failed)
    print(f"{failed!r}: python-liquid {of_liquid}, Jinja2 {jinja2.Template(text).render(failed=failed)}")
PY
expect <<'END'
0: liquidjs failed, nunjucks well, handlebars well
"": liquidjs failed, nunjucks well, handlebars well
[]: liquidjs failed, nunjucks failed, handlebars well
false: liquidjs well, nunjucks well, handlebars well
0: python-liquid failed, Jinja2 well
'': python-liquid failed, Jinja2 well
[]: python-liquid failed, Jinja2 well
False: python-liquid well, Jinja2 well
END
