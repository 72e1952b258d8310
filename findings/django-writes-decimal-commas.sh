#!/usr/bin/env bash
# Django 5.2.19 (Python), against Jinja2 3.1.6.
#
# Guess: `{{ threshold }}` of 99.5 is 99.5 in a template, whatever the language of the reader is.
#
# Really: Django writes numbers in the form of the active language, which LocaleMiddleware takes from the browser: in German and
# French it is 99,5. Text that was made with `floatformat` is the same. Only `{% localize off %}`, `|unlocalize` and
# `floatformat:"1u"` leave the point.
#
# Matters: a portal that makes PromQL, YAML or JSON by templates works in English. In German `rate > 99,5` is refused by
# Prometheus, and `[0,5]` of JSON has two numbers. Make them with json.dumps, or switch localization off there.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python Django==5.2.19 Jinja2==3.1.6 <<'PY'
import django
import jinja2
from django.conf import settings
from django.template import Context, Template
from django.utils import translation

settings.configure(TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}])
django.setup()
templates = [
    "rate > {{ threshold }}",
    "[{{ threshold|floatformat:1 }}]",
    '[{{ threshold|floatformat:"1u" }}]',
    "{% load l10n %}[{{ threshold|unlocalize }}]",
    "{% load l10n %}{% localize off %}[{{ threshold }}]{% endlocalize %}",
]
for text in templates:
    for language in ["en", "de", "fr"]:
        with translation.override(language):
            print(f"{text} in {language}: {Template(text).render(Context({'threshold': 99.5}))}")
print("Jinja2:", jinja2.Template(templates[0]).render(threshold=99.5))
PY
expect <<'END'
rate > {{ threshold }} in en: rate > 99.5
rate > {{ threshold }} in de: rate > 99,5
rate > {{ threshold }} in fr: rate > 99,5
[{{ threshold|floatformat:1 }}] in en: [99.5]
[{{ threshold|floatformat:1 }}] in de: [99,5]
[{{ threshold|floatformat:1 }}] in fr: [99,5]
[{{ threshold|floatformat:"1u" }}] in en: [99.5]
[{{ threshold|floatformat:"1u" }}] in de: [99.5]
[{{ threshold|floatformat:"1u" }}] in fr: [99.5]
{% load l10n %}[{{ threshold|unlocalize }}] in en: [99.5]
{% load l10n %}[{{ threshold|unlocalize }}] in de: [99.5]
{% load l10n %}[{{ threshold|unlocalize }}] in fr: [99.5]
{% load l10n %}{% localize off %}[{{ threshold }}]{% endlocalize %} in en: [99.5]
{% load l10n %}{% localize off %}[{{ threshold }}]{% endlocalize %} in de: [99.5]
{% load l10n %}{% localize off %}[{{ threshold }}]{% endlocalize %} in fr: [99.5]
Jinja2: rate > 99.5
END
