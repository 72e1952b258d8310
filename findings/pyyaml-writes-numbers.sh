#!/usr/bin/env bash
# PyYAML 6.0.4 writes, sigs.k8s.io/yaml 1.6.0 (Go; kubectl, Helm, kustomize) reads.
#
# Guess: a string that PyYAML writes comes back as that string: both are YAML 1.1.
#
# Really: PyYAML quotes what it would take for something else itself, and it knows fewer numbers: no exponent without
# a dot and a sign, no 0o17, no decimal 08, and no y and n as booleans. Go reads these as numbers and booleans.
#
# Matters: an image tag or a label that is a short Git hash, such as 1234e56, is one number in a few hundred commits;
# the month 08, a zone 0o17 and an answer y are too. Then "cannot unmarshal number into Go struct field of type
# string", or, in a Canary's free-form maps, another value. It works until that commit. Quote all strings, or write
# JSON.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python PyYAML==6.0.4 <<'PY'
import yaml

print(yaml.safe_dump({"tag": "1234e56", "month": "08", "zone": "0o17", "answer": "y"}), end="")
PY
with_go sigs.k8s.io/yaml@v1.6.0 <<'GO'
package main

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

func main() {
	json, err := yaml.YAMLToJSON([]byte("answer: y\nmonth: 08\ntag: 1234e56\nzone: 0o17\n"))
	fmt.Println(string(json), err)
}
GO
expect <<'END'
answer: y
month: 08
tag: 1234e56
zone: 0o17
{"answer":true,"month":8,"tag":1.234e+59,"zone":15} <nil>
END
