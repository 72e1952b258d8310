#!/usr/bin/env bash
# sigs.k8s.io/yaml 1.6.0 (Go; kubectl, Helm, controllers) and PyYAML 6.0.4 (Python), against goccy/go-yaml 1.19.2 (Go),
# yaml 2.9.1 and js-yaml 5.5.0 (JavaScript), ruamel.yaml 0.19.1 (Python).
#
# Guess: a key that stands twice in one map, as `metrics` after a careless merge, is an error, which YAML says it is.
#
# Really: the first two take the last one without a word; sigs.k8s.io/yaml finds it with UnmarshalStrict and
# YAMLToJSONStrict only. The others refuse the file.
#
# Matters: of two lists of checks in one Canary the first is gone, and with it request-success-rate; a check in Python
# that counts them agrees. What kubectl sends is JSON, so that the strict validation of the API server cannot see it
# either. Run a linter with key-duplicates.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/analysis.yaml" <<'YAML'
metrics: [request-success-rate, request-duration]
threshold: 5
metrics: [request-duration]
YAML
export work
with_go sigs.k8s.io/yaml@v1.6.0 github.com/goccy/go-yaml@v1.19.2 <<'GO'
package main

import (
	"fmt"
	"os"

	goccy "github.com/goccy/go-yaml"
	"sigs.k8s.io/yaml"
)

func main() {
	text, _ := os.ReadFile(os.Getenv("work") + "/analysis.yaml")
	out, err := yaml.YAMLToJSON(text)
	fmt.Println("sigs.k8s.io/yaml:", string(out), err)
	_, err = yaml.YAMLToJSONStrict(text)
	fmt.Println("sigs.k8s.io/yaml, strict, takes it:", err == nil)
	var value map[string]any
	fmt.Println("goccy takes it:", goccy.Unmarshal(text, &value) == nil)
}
GO
with_node yaml@2.9.1 js-yaml@5.5.0 <<'JS'
import fs from "node:fs";
import { load } from "js-yaml";
import { parse } from "yaml";

const text = fs.readFileSync(`${process.env.work}/analysis.yaml`, "utf8");
for (const [name, read] of [["yaml", parse], ["js-yaml", load]]) {
  try {
    console.log(name, JSON.stringify(read(text)));
  } catch (error) {
    console.log(name, "takes it: false");
  }
}
JS
with_python PyYAML==6.0.4 ruamel.yaml==0.19.1 <<'PY'
import os
import ruamel.yaml, yaml

text = open(os.environ["work"] + "/analysis.yaml").read()
print("PyYAML:", yaml.safe_load(text))
try:
    print("ruamel.yaml:", ruamel.yaml.YAML(typ="safe", pure=True).load(text))
except ruamel.yaml.constructor.DuplicateKeyError:
    print("ruamel.yaml takes it: False")
PY
expect <<'END'
sigs.k8s.io/yaml: {"metrics":["request-duration"],"threshold":5} <nil>
sigs.k8s.io/yaml, strict, takes it: false
goccy takes it: false
yaml takes it: false
js-yaml takes it: false
PyYAML: {'metrics': ['request-duration'], 'threshold': 5}
ruamel.yaml takes it: False
END
