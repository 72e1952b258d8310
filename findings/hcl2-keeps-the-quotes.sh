#!/usr/bin/env bash
# python-hcl2 8.1.4 (Python).
#
# Guess: image = "app:1" is read as the text app:1, as by Terraform and by every reader of JSON or YAML.
#
# Really: the quotes are part of the value: '"app:1"'. Numbers and booleans are without. Up to version 7 there were none.
#
# Matters: a check in Python of Canaries and Deployments that Terraform makes compares provider == "istio" with '"istio"':
# no rule matches any more after an update of the package, and all pass. Strip the quotes, or compare the plan in JSON
# that `terraform show -json` prints.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
for version in 7.3.1 8.1.4; do
  VERSION=$version with_python python-hcl2==$version <<'PY'
import os
import hcl2

text = 'provider = "istio"\nthreshold = 5\nsuspend = false\nweights = [10, 50]\nhosts = ["a.example.com"]\n'
print(os.environ["VERSION"], hcl2.loads(text))
PY
done
expect <<'END'
7.3.1 {'provider': 'istio', 'threshold': 5, 'suspend': False, 'weights': [10, 50], 'hosts': ['a.example.com']}
8.1.4 {'provider': '"istio"', 'threshold': 5, 'suspend': False, 'weights': [10, 50], 'hosts': ['"a.example.com"']}
END
