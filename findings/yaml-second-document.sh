#!/usr/bin/env bash
# sigs.k8s.io/yaml 1.6.0 (Go), PyYAML 6.0.4 (Python), js-yaml 5.5.0 (JavaScript), serde_yaml_ng 0.10.0 (Rust).
#
# Guess: reading a file with two documents as one is an error.
#
# Really: Go's library, in its strict form too, reads the first and says nothing of the rest. The three others refuse.
#
# Matters: a tool in Go that checks or converts a file with a Canary and its MetricTemplates sees the first object
# only; a file that begins with `---` and a comment is no object at all. Split documents first, as kubectl does.
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
	for _, text := range []string{"kind: Canary\n---\nkind: MetricTemplate\n", "# made by hand\n---\nkind: Canary\n", "---\n# empty\n---\nkind: Canary\n"} {
		var read map[string]any
		err := yaml.UnmarshalStrict([]byte(text), &read)
		fmt.Printf("Go %q %v %v\n", text, read, err)
	}
}
GO
with_python PyYAML==6.0.4 <<'PY'
import yaml

try:
    print("Python", yaml.safe_load("kind: Canary\n---\nkind: MetricTemplate\n"))
except yaml.YAMLError as error:
    print("Python", error.context)
PY
with_node js-yaml@5.5.0 <<'JS'
import { load } from "js-yaml";

try {
  console.log("JavaScript", load("kind: Canary\n---\nkind: MetricTemplate\n"));
} catch (error) {
  console.log("JavaScript", error.message.split("\n")[0]);
}
JS
with_cargo serde_yaml_ng@=0.10.0 serde_json@1 <<'RUST'
fn main() {
    let read: Result<serde_json::Value, _> = serde_yaml_ng::from_str("kind: Canary\n---\nkind: MetricTemplate\n");
    println!("Rust {}", read.unwrap_err());
}
RUST
expect <<'END'
Go "kind: Canary\n---\nkind: MetricTemplate\n" map[kind:Canary] <nil>
Go "# made by hand\n---\nkind: Canary\n" map[kind:Canary] <nil>
Go "---\n# empty\n---\nkind: Canary\n" map[] <nil>
Python expected a single document in the stream
JavaScript expected a single document in the stream, but found more
Rust deserializing from YAML containing more than one document is not supported
END
