#!/usr/bin/env bash
# minijinja 3.1.0 (Python and Rust), against Jinja2 3.1.6.
#
# Guess: as in Jinja2, `{% if failures < 5 %}` of what is not there is an error.
#
# Really: in minijinja what is not there, and none, are less than every number, and a text or a list is more. So `< 5` holds,
# `> 5` does not, and `"1" > 9` holds. `undefined_behavior="strict"` does not change the comparison of none.
#
# Matters: a gate or a message that says "fine" for few failures says so without data, and the same template stopped in
# Jinja2. Ask `is defined` or `is number` first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python minijinja==3.1.0 Jinja2==3.1.6 <<'PY'
import jinja2
import minijinja

values = {"nothing": None, "text": "1", "rows": []}

def try_it(render):
    try:
        return render()
    except (jinja2.UndefinedError, TypeError, minijinja.TemplateError):
        return "an error"

for condition in ["missing < 5", "missing > 5", "nothing < 5", "text > 9", "rows > 9", "missing is number and missing < 5"]:
    text = f"{{{{ {condition} }}}}"
    seen = {
        "minijinja": try_it(lambda: minijinja.Environment().render_str(text, **values)),
        "strict": try_it(lambda: minijinja.Environment(undefined_behavior="strict").render_str(text, **values)),
        "Jinja2": try_it(lambda: jinja2.Template(text).render(**values)),
    }
    print(f"{condition}: {', '.join(f'{name} {value}' for name, value in seen.items())}")
PY
expect <<'END'
missing < 5: minijinja True, strict an error, Jinja2 an error
missing > 5: minijinja False, strict an error, Jinja2 an error
nothing < 5: minijinja True, strict True, Jinja2 an error
text > 9: minijinja True, strict True, Jinja2 an error
rows > 9: minijinja True, strict True, Jinja2 an error
missing is number and missing < 5: minijinja False, strict False, Jinja2 False
END
