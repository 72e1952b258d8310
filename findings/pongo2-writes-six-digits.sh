#!/usr/bin/env bash
# flosch/pongo2 6.0.0 (Go), against Django 5.2.19 and Jinja2 3.1.6 (Python), whose language it has.
#
# Guess: `{{ share }}` of 0.00000004 is 0.00000004 or 4e-08, 10 / 4 is 2.5, and what is missing is not less than 5.
#
# Really: pongo2 writes each fraction with six digits, so that a small one is 0.000000. Whole numbers are divided to a whole number.
# What is missing is less than 5.
#
# Matters: a query with `> {{ share }}` has another threshold than was given, 0, and a condition on missing values passes.
# Pass texts that were formatted by Go, or use stringformat.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/templates" <<'TXT'
{{ small }}
{{ share }}
{{ large }}
{{ failed / total }}
{% if missing < 5 %}passes{% else %}fails{% endif %}
TXT
export TEMPLATES="$work/templates"
with_go github.com/flosch/pongo2/v6@v6.0.0 <<'GO'
package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/flosch/pongo2/v6"
)

func main() {
	file, err := os.Open(os.Getenv("TEMPLATES"))
	if err != nil {
		panic(err)
	}
	values := pongo2.Context{"small": 0.00000004, "share": 99.5, "large": 1e6, "failed": 10, "total": 4}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		text, err := pongo2.Must(pongo2.FromString(lines.Text())).Execute(values)
		if err != nil {
			text = "an error"
		}
		fmt.Printf("pongo2 %s: %s\n", lines.Text(), text)
	}
}
GO
with_python Django==5.2.19 Jinja2==3.1.6 <<'PY'
import os

import django
import jinja2
from django.conf import settings
from django.template import Context, Template, TemplateSyntaxError

settings.configure(TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}])
django.setup()
values = {"small": 0.00000004, "share": 99.5, "large": 1e6, "failed": 10, "total": 4}
engines = {
    "Django": lambda text: Template(text).render(Context(values)),
    "Jinja2": lambda text: jinja2.Template(text).render(**values),
}
with open(os.environ["TEMPLATES"]) as file:
    for text in file.read().splitlines():
        for name, render in engines.items():
            try:
                print(f"{name} {text}: {render(text)}")
            except (TemplateSyntaxError, jinja2.UndefinedError):
                print(f"{name} {text}: an error")
PY
expect <<'END'
pongo2 {{ small }}: 0.000000
pongo2 {{ share }}: 99.500000
pongo2 {{ large }}: 1000000.000000
pongo2 {{ failed / total }}: 2
pongo2 {% if missing < 5 %}passes{% else %}fails{% endif %}: passes
Django {{ small }}: 0.00000004
Jinja2 {{ small }}: 4e-08
Django {{ share }}: 99.5
Jinja2 {{ share }}: 99.5
Django {{ large }}: 1000000.0
Jinja2 {{ large }}: 1000000.0
Django {{ failed / total }}: an error
Jinja2 {{ failed / total }}: 2.5
Django {% if missing < 5 %}passes{% else %}fails{% endif %}: fails
Jinja2 {% if missing < 5 %}passes{% else %}fails{% endif %}: an error
END
