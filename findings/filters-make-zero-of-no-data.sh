#!/usr/bin/env bash
# Jinja2 3.1.6 (Ansible), python-liquid 2.3.6, minijinja 3.1.0 (Python), nunjucks 3.2.4 and liquidjs 10.30.1 (JavaScript).
#
# Guess: `"n/a" | float`, and in Liquid `"n/a" | plus: 0`, are an error or NaN, and so is null.
#
# Really: Jinja2 and both Liquids make 0 of each text that is no number, "99,5" and "5%" among them, of the empty text and
# of null. minijinja refuses the texts, and makes 0 of null. nunjucks makes nothing of "n/a", 99 of "99,5" and 5 of "5%".
#
# Matters: a playbook, a message or a template of a gate that says `rate | float < 5` passes when its metrics server said
# n/a, or nothing, or wrote a decimal comma. Ask `rate is number` first, or give float() a default above each limit.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python Jinja2==3.1.6 python-liquid==2.3.6 minijinja==3.1.0 <<'PY'
import jinja2
import liquid
import minijinja


def answer(render):
    try:
        return render()
    except Exception:
        return "refused"


for rate in "n/a", "99,5", "5%", "", None:
    print(
        repr(rate),
        "jinja2", answer(lambda: jinja2.Template("{{ rate | float }} {{ rate | float < 5 }}").render(rate=rate)),
        "minijinja", answer(lambda: minijinja.Environment().render_str("{{ rate | float }}", rate=rate)),
        "liquid", answer(lambda: liquid.render("{{ rate | plus: 0 }}", rate=rate)),
    )
PY
with_node nunjucks@3.2.4 liquidjs@10.30.1 <<'JS'
import { Liquid } from "liquidjs";
import nunjucks from "nunjucks";

const liquid = new Liquid();
for (const rate of ["n/a", "99,5", "5%", "", null]) {
  const float = nunjucks.renderString("'{{ rate | float }}'", { rate });
  console.log(JSON.stringify(rate), "nunjucks", float, "liquidjs", liquid.parseAndRenderSync("{{ rate | plus: 0 }}", { rate }));
}
JS
expect <<'END'
'n/a' jinja2 0.0 True minijinja refused liquid 0
'99,5' jinja2 0.0 True minijinja refused liquid 0
'5%' jinja2 0.0 True minijinja refused liquid 0
'' jinja2 0.0 True minijinja refused liquid 0
None jinja2 0.0 True minijinja 0.0 liquid 0
"n/a" nunjucks '' liquidjs 0
"99,5" nunjucks '99' liquidjs 0
"5%" nunjucks '5' liquidjs 0
"" nunjucks '' liquidjs 0
null nunjucks '' liquidjs 0
END
