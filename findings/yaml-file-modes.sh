#!/usr/bin/env bash
# sigs.k8s.io/yaml 1.6.0 (Go; kubectl), PyYAML 6.0.4 and ruamel.yaml 0.19.1 (Python), js-yaml 5.5.0 and
# @kubernetes/client-node 1.4.0 (JavaScript), serde_yaml_ng 0.10.0 (Rust).
#
# Guess: `defaultMode: 0644`, as it stands in many manifests, is the file mode 0644 (420) for every Kubernetes client.
#
# Really: it is 420 for kubectl and PyYAML, 644 (that is mode 01204, which the API server refuses) for JavaScript and
# ruamel, and the text "0644" for serde_yaml_ng. `0o644` is 420 for all but PyYAML, which makes text of it.
#
# Matters: a manifest that kubectl applies is refused when an operator or a pipeline reads it with another client, and
# 0400 becomes the valid but different 0620. Write the decimal number.
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
	json, err := yaml.YAMLToJSON([]byte("[0644, 0400, 0o644]"))
	fmt.Println("kubectl", string(json), err)
}
GO
with_python PyYAML==6.0.4 ruamel.yaml==0.19.1 <<'PY'
import json
import ruamel.yaml
import yaml

print("PyYAML", json.dumps(yaml.safe_load("[0644, 0400, 0o644]")))
print("ruamel", json.dumps(ruamel.yaml.YAML(typ="safe", pure=True).load("[0644, 0400, 0o644]")))
PY
with_node js-yaml@5.5.0 @kubernetes/client-node@1.4.0 <<'JS'
import { load } from "js-yaml";
import { loadYaml } from "@kubernetes/client-node";

console.log("js-yaml", JSON.stringify(load("[0644, 0400, 0o644]")));
const pod = loadYaml("apiVersion: v1\nkind: Pod\nspec: {containers: [], volumes: [{name: v, secret: {defaultMode: 0400}}]}");
console.log("client-node, 0400", pod.spec.volumes[0].secret.defaultMode, "which is", pod.spec.volumes[0].secret.defaultMode.toString(8));
JS
with_cargo serde_yaml_ng@=0.10.0 serde_json@1 <<'RUST'
fn main() {
    println!("serde_yaml_ng {}", serde_yaml_ng::from_str::<serde_json::Value>("[0644, 0400, 0o644]").unwrap());
}
RUST
expect <<'END'
kubectl [420,256,420] <nil>
PyYAML [420, 256, "0o644"]
ruamel [644, 400, 420]
js-yaml [644,400,420]
client-node, 0400 400 which is 620
serde_yaml_ng ["0644","0400",420]
END
