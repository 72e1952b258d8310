#!/usr/bin/env bash
# js-yaml 5.5.0 and yaml 2.9.1 (JavaScript), serde_yaml_ng 0.10.0 (Rust), PyYAML 6.0.4 (Python), sigs.k8s.io/yaml
# 1.6.0 (Go; kubectl).
#
# Guess: `<<: *defaults` merges a map everywhere, as it does for kubectl.
#
# Really: js-yaml since 5, yaml and serde_yaml_ng read a key called "<<".
#
# Matters: Canaries that share an analysis by an anchor lose interval and threshold when such a tool reads them and
# writes JSON; the API server drops "<<" as an unknown field and applies defaults.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node js-yaml@5.5.0 yaml@2.9.1 <<'JS'
import { load } from "js-yaml";
import { parse } from "yaml";

const text = "a: &a {interval: 30s}\nb: {<<: *a, threshold: 5}\n";
console.log("js-yaml", JSON.stringify(load(text).b));
console.log("yaml", JSON.stringify(parse(text).b));
console.log("yaml with merge", JSON.stringify(parse(text, { merge: true }).b));
JS
with_cargo serde_yaml_ng@=0.10.0 serde_json@1 <<'RUST'
fn main() {
    let read: serde_json::Value = serde_yaml_ng::from_str("a: &a {interval: 30s}\nb: {<<: *a, threshold: 5}\n").unwrap();
    println!("serde_yaml_ng {}", read["b"]);
}
RUST
with_python PyYAML==6.0.4 <<'PY'
import json
import yaml

print("PyYAML", json.dumps(yaml.safe_load("a: &a {interval: 30s}\nb: {<<: *a, threshold: 5}\n")["b"]))
PY
with_go sigs.k8s.io/yaml@v1.6.0 <<'GO'
package main

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

func main() {
	json, err := yaml.YAMLToJSON([]byte("a: &a {interval: 30s}\nb: {<<: *a, threshold: 5}\n"))
	fmt.Println("kubectl", string(json), err)
}
GO
expect <<'END'
js-yaml {"<<":{"interval":"30s"},"threshold":5}
yaml {"<<":{"interval":"30s"},"threshold":5}
yaml with merge {"interval":"30s","threshold":5}
serde_yaml_ng {"<<":{"interval":"30s"},"threshold":5}
PyYAML {"interval": "30s", "threshold": 5}
kubectl {"a":{"interval":"30s"},"b":{"interval":"30s","threshold":5}} <nil>
END
