#!/usr/bin/env bash
# yaml 2.9.1 (npm), ruamel.yaml 0.19.1 (Python) and serde_yaml_ng 0.10.0 (Rust) write, sigs.k8s.io/yaml 1.6.0 (Go)
# reads.
#
# Guess: a writer quotes "on" and "yes", since every reader of Kubernetes manifests has stumbled over them.
#
# Really: all three write YAML 1.2, where on, yes, off, no and 1_000 are plain strings, and leave them bare. kubectl's
# library reads YAML 1.1 booleans and numbers. js-yaml and serde-saphyr, which Serin uses, do quote them.
#
# Matters: an annotation or a ConfigMap value that a user quoted ("on") passes through such a tool and is a boolean to
# kubectl: the object is refused, or, in free-form fields (chart values, a router's extra fields), means something
# else.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node yaml@2.9.1 <<'JS'
import { stringify } from "yaml";

process.stdout.write(stringify({ switch: "on", answer: "yes", size: "1_000" }));
JS
with_python ruamel.yaml==0.19.1 <<'PY'
import sys
from ruamel.yaml import YAML

YAML().dump({"switch": "on", "answer": "yes"}, sys.stdout)
PY
with_cargo serde_yaml_ng@=0.10.0 serde_json@1 <<'RUST'
fn main() {
    print!("{}", serde_yaml_ng::to_string(&serde_json::json!({"switch": "on", "answer": "yes", "size": "1_000"})).unwrap());
}
RUST
with_go sigs.k8s.io/yaml@v1.6.0 <<'GO'
package main

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

func main() {
	json, err := yaml.YAMLToJSON([]byte("switch: on\nanswer: yes\nsize: 1_000\n"))
	fmt.Println(string(json), err)
}
GO
expect <<'END'
switch: on
answer: yes
size: 1_000
switch: on
answer: yes
answer: yes
size: 1_000
switch: on
{"answer":true,"size":1000,"switch":true} <nil>
END
