#!/usr/bin/env bash
# PyYAML 6.0.4, against ruamel.yaml 0.19.1 (Python), js-yaml 5.5.0 and yaml 2.9.1 (JavaScript), sigs.k8s.io/yaml 1.6.0 (Go).
#
# Guess: JSON is YAML, so what json.dumps() wrote is read the same by a YAML library.
#
# Really: PyYAML takes a number with an exponent for one only if it has a point and a sign: 1e-05, which is how Python writes
# 0.00001, is the text "1e-05", and so are 1e+22, 1E3 and 1.5e3. The others read numbers.
#
# Matters: a tool in Python that reads the threshold of a rare failure, or a manifest that came from JSON, has a text: the
# comparison fails, or the API server refuses it for a number. Read JSON with json, and YAML with ruamel.yaml.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export NUMBERS='{"a": 1e-05, "b": 1e+22, "c": 1E3, "d": 1.5e3, "e": 1.0e-5}'
with_python PyYAML==6.0.4 ruamel.yaml==0.19.1 <<'PY'
import json
import os

import ruamel.yaml
import yaml

text = os.environ["NUMBERS"]
print("json.dumps:", json.dumps([0.00001, 1e22]))
print("json:", json.loads(text))
print("PyYAML:", yaml.safe_load(text))
print("PyYAML, written back:", yaml.safe_dump(yaml.safe_load(text), default_flow_style=True).strip())
print("ruamel.yaml:", dict(ruamel.yaml.YAML(typ="safe").load(text)))
PY
with_node js-yaml@5.5.0 yaml@2.9.1 <<'JS'
import { load } from "js-yaml";
import { parse } from "yaml";

console.log("js-yaml:", JSON.stringify(load(process.env.NUMBERS)));
console.log("yaml:", JSON.stringify(parse(process.env.NUMBERS)));
JS
with_go sigs.k8s.io/yaml@v1.6.0 <<'GO'
package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	json, err := yaml.YAMLToJSON([]byte(os.Getenv("NUMBERS")))
	fmt.Println("sigs.k8s.io/yaml:", string(json), err)
}
GO
expect <<'END'
json.dumps: [1e-05, 1e+22]
json: {'a': 1e-05, 'b': 1e+22, 'c': 1000.0, 'd': 1500.0, 'e': 1e-05}
PyYAML: {'a': '1e-05', 'b': '1e+22', 'c': '1E3', 'd': '1.5e3', 'e': 1e-05}
PyYAML, written back: {a: 1e-05, b: 1e+22, c: 1E3, d: 1.5e3, e: 1.0e-05}
ruamel.yaml: {'a': 1e-05, 'b': 1e+22, 'c': 1000.0, 'd': 1500.0, 'e': 1e-05}
js-yaml: {"a":0.00001,"b":1e+22,"c":1000,"d":1500,"e":0.00001}
yaml: {"a":0.00001,"b":1e+22,"c":1000,"d":1500,"e":0.00001}
sigs.k8s.io/yaml: {"a":0.00001,"b":1e+22,"c":1000,"d":1500,"e":0.00001} <nil>
END
