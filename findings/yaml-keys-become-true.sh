#!/usr/bin/env bash
# sigs.k8s.io/yaml 1.6.0 (Go; kubectl, Helm, kustomize).
#
# Guess: keys of a map are strings; only values such as `on` need quotes.
#
# Really: keys are read like values and turned into text again: y and on become "true", 012 becomes "10", 1e3 "1000".
# Two keys that become the same are one, the last wins; only the strict form, which kubectl uses but Helm's values do
# not, refuses them.
#
# Matters: a ConfigMap with the key y, a label `n: x`, headers or variables named on, or a map of versions ("1e3")
# have other keys in the cluster than in the file, and a Canary's query finds no `variables.y`. Quote keys too.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go sigs.k8s.io/yaml@v1.6.0 <<'GO'
package main

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

func main() {
	for _, text := range []string{"x: 1\ny: 2", "012: a\n1e3: b", "n: a\nno: b"} {
		json, err := yaml.YAMLToJSON([]byte(text))
		_, strict := yaml.YAMLToJSONStrict([]byte(text))
		fmt.Printf("%q -> %s %v, strict refuses: %v\n", text, json, err, strict != nil)
	}
}
GO
expect <<'END'
"x: 1\ny: 2" -> {"true":2,"x":1} <nil>, strict refuses: false
"012: a\n1e3: b" -> {"10":"a","1000":"b"} <nil>, strict refuses: false
"n: a\nno: b" -> {"false":"b"} <nil>, strict refuses: true
END
