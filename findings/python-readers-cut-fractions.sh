#!/usr/bin/env bash
# cattrs 26.2.1, marshmallow 4.4.0, typedload 2.41 and mashumaro 3.23, against dacite 1.9.2, msgspec 0.23.0 and
# dataclass-wizard 1.0.0 (Python).
#
# Guess: a library that reads JSON into a class refuses 99.9 for an int, and reads "false" for a bool as False or refuses it.
#
# Really: cattrs, typedload and mashumaro call int() and bool(), and marshmallow calls int(): 99.9 is 99 in all four. "false"
# and "no" are True in three of them. A null is False for these three and for dataclass-wizard. dacite, msgspec and
# dataclass-wizard refuse 99.9. The text "99.9" is refused by all.
#
# Matters: a bot that reads `threshold: 99.9` of a Canary into an int compares with 99, and one that reads `suspend: "false"`
# from a ConfigMap, whose values are all texts, is suspended. Declare float, or use a library that refuses.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python cattrs==26.2.1 marshmallow==4.4.0 typedload==2.41 mashumaro==3.23 dacite==1.9.2 msgspec==0.23.0 \
  dataclass-wizard==1.0.0 <<'PY'
import dataclasses

import cattrs
import dacite
import dataclass_wizard
import marshmallow
import msgspec
import typedload
from mashumaro import DataClassDictMixin


@dataclasses.dataclass
class Settings(DataClassDictMixin):
    threshold: int = 5
    suspend: bool = True


class Schema(marshmallow.Schema):
    threshold = marshmallow.fields.Integer()
    suspend = marshmallow.fields.Boolean()


readers = {
    "cattrs": lambda value: cattrs.structure(value, Settings),
    "marshmallow": lambda value: Schema().load(value),
    "typedload": lambda value: typedload.load(value, Settings),
    "mashumaro": Settings.from_dict,
    "dacite": lambda value: dacite.from_dict(Settings, value),
    "msgspec": lambda value: msgspec.convert(value, Settings),
    "dataclass-wizard": lambda value: dataclass_wizard.fromdict(Settings, value),
}


def read(reader, name, value):
    try:
        seen = reader({name: value})
    except Exception:
        return "refused"
    return seen[name] if isinstance(seen, dict) else getattr(seen, name)


for name, value in [("threshold", 99.9), ("threshold", "99.9"), ("suspend", "false"), ("suspend", "no"), ("suspend", None)]:
    print(f"{name} {value!r}: " + ", ".join(f"{library} {read(reader, name, value)}" for library, reader in readers.items()))
PY
expect <<'END'
threshold 99.9: cattrs 99, marshmallow 99, typedload 99, mashumaro 99, dacite refused, msgspec refused, dataclass-wizard refused
threshold '99.9': cattrs refused, marshmallow refused, typedload refused, mashumaro refused, dacite refused, msgspec refused, dataclass-wizard refused
suspend 'false': cattrs True, marshmallow False, typedload True, mashumaro True, dacite refused, msgspec refused, dataclass-wizard False
suspend 'no': cattrs True, marshmallow False, typedload True, mashumaro True, dacite refused, msgspec refused, dataclass-wizard False
suspend None: cattrs False, marshmallow refused, typedload False, mashumaro False, dacite refused, msgspec refused, dataclass-wizard False
END
