#!/usr/bin/env bash
# dotmap 1.3.30, against addict 2.4.0, python-box 8.0.0 and munch 4.0.0 (Python).
#
# Guess: `if canary.spec.analysis.webhooks:` only looks.
#
# Really: for dotmap the question puts an empty map there, which is written out with the object. addict answers with an
# empty map too, and keeps none; the other two raise. In all four `spec.items` and `spec.values` are methods of a dict,
# not the fields.
#
# Matters: a bot in Python that reads a Canary, asks for optional fields and writes it back is refused, since {} is no
# list, or switches on what an empty object switches on, such as `tls: {}`. Ask by "webhooks" in canary.spec.analysis.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python dotmap==1.3.30 addict==2.4.0 python-box==8.0.0 munch==4.0.0 <<'PY'
import addict, box, dotmap, munch

manifest = {"spec": {"analysis": {"threshold": 5}, "items": ["a"]}}
for name, make, plain in (
    ("dotmap", dotmap.DotMap, lambda o: o.toDict()), ("addict", addict.Dict, lambda o: o.to_dict()),
    ("Box", box.Box, lambda o: o.to_dict()), ("munch", munch.munchify, munch.unmunchify),
):
    canary = make(manifest)
    try:
        asked = bool(canary.spec.analysis.webhooks)
    except AttributeError as error:
        asked = "raises"
    print(name, asked, plain(canary)["spec"]["analysis"], "items is a method:", callable(canary.spec.items))
PY
expect <<'END'
dotmap False {'threshold': 5, 'webhooks': {}} items is a method: True
addict False {'threshold': 5} items is a method: True
Box raises {'threshold': 5} items is a method: True
munch raises {'threshold': 5} items is a method: True
END
