#!/usr/bin/env bash
# jsonschema 4.26.0, fastjsonschema 2.22.3, cerberus 1.3.8, trafaret 2.1.1, click 8.5.1, Django 5.2.19, against
# pydantic 2.14.4, msgspec 0.23.0, voluptuous 0.16.0, attrs 26.1.0, marshmallow 4.4.0, djangorestframework 3.18.3 (Python).
#
# Guess: a number that must be from 0 to 100 is not NaN: `.nan` of a YAML file and `--threshold nan` are refused.
#
# Really: half of them ask "is it less than 0?" and "is it more than 100?", which NaN is neither, and take it: both JSON
# Schema validators, cerberus, trafaret, click's FloatRange, and a FloatField of a Django model with both of its
# validators. marshmallow takes it once allow_nan is on. The others ask the other way round or for NaN itself.
#
# Matters: a threshold of NaN comes out of 0/0 in a script or a template, passes the check of the file, and no error rate
# is ever above it: the gate is open. Ask math.isfinite() as well.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python jsonschema==4.26.0 fastjsonschema==2.22.3 cerberus==1.3.8 trafaret==2.1.1 click==8.5.1 Django==5.2.19 \
  djangorestframework==3.18.3 pydantic==2.14.4 msgspec==0.23.0 voluptuous==0.16.0 attrs==26.1.0 marshmallow==4.4.0 PyYAML==6.0.4 <<'PY'
from typing import Annotated

import attrs
import cerberus
import click
import django
import fastjsonschema
import jsonschema
import marshmallow
import msgspec
import pydantic
import trafaret
import voluptuous
import yaml
from django.conf import settings

settings.configure()
django.setup()

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from rest_framework import serializers

schema = {"type": "number", "minimum": 0, "maximum": 100}
limits = marshmallow.validate.Range(0, 100)


class Model(pydantic.BaseModel):
    threshold: float = pydantic.Field(ge=0, le=100)


@attrs.define
class Class:
    threshold: float = attrs.field(validator=[attrs.validators.ge(0), attrs.validators.le(100)])


def cerberus_check(number):
    if not cerberus.Validator({"threshold": {"type": "float", "min": 0, "max": 100}}).validate({"threshold": number}):
        raise ValueError


checks = {
    "jsonschema": lambda number: jsonschema.validate(number, schema),
    "fastjsonschema": fastjsonschema.compile(schema),
    "cerberus": cerberus_check,
    "trafaret": trafaret.Float(gte=0, lte=100).check,
    "click": lambda number: click.FloatRange(0, 100).convert(str(number), None, None),
    "Django's model field": lambda number: models.FloatField(validators=[MinValueValidator(0), MaxValueValidator(100)]).clean(number, None),
    "marshmallow with allow_nan": marshmallow.fields.Float(validate=limits, allow_nan=True).deserialize,
    "marshmallow": marshmallow.fields.Float(validate=limits).deserialize,
    "Django REST framework": serializers.FloatField(min_value=0, max_value=100).run_validation,
    "pydantic": lambda number: Model(threshold=number),
    "msgspec": lambda number: msgspec.convert(number, Annotated[float, msgspec.Meta(ge=0, le=100)]),
    "voluptuous": voluptuous.Schema(voluptuous.Range(min=0, max=100)),
    "attrs": Class,
}
for name, check in checks.items():
    found = []
    for text in ("99.5", "100.5", ".nan"):
        try:
            check(yaml.safe_load(text))
            found.append(f"takes {text}")
        except Exception:
            found.append(f"refuses {text}")
    print(f"{name}: {', '.join(found)}")
PY
expect <<'END'
jsonschema: takes 99.5, refuses 100.5, takes .nan
fastjsonschema: takes 99.5, refuses 100.5, takes .nan
cerberus: takes 99.5, refuses 100.5, takes .nan
trafaret: takes 99.5, refuses 100.5, takes .nan
click: takes 99.5, refuses 100.5, takes .nan
Django's model field: takes 99.5, refuses 100.5, takes .nan
marshmallow with allow_nan: takes 99.5, refuses 100.5, takes .nan
marshmallow: takes 99.5, refuses 100.5, refuses .nan
Django REST framework: takes 99.5, refuses 100.5, refuses .nan
pydantic: takes 99.5, refuses 100.5, refuses .nan
msgspec: takes 99.5, refuses 100.5, refuses .nan
voluptuous: takes 99.5, refuses 100.5, refuses .nan
attrs: takes 99.5, refuses 100.5, refuses .nan
END
