#!/usr/bin/env bash
# jsonpath 1.3.0 and jsonpath-plus 10.4.0 (JavaScript), jsonpath-ng 1.16.0 (Python), jsonpath-rust 1.0.12 (Rust;
# kube's), k8s.io/client-go 0.36.3 (Go; kubectl).
#
# Guess: $.values[-1] is the last value everywhere, as in RFC 9535, or an error where it is not known.
#
# Really: in JavaScript it leads nowhere, silently: the index is a property named "-1". [-1:] is the last value in
# all.
#
# Matters: the newest value of a series is what a jsonPath of a metric is often after. A check tried out in JavaScript
# shows "no data" for a path that works in the cluster, and the other way round `(@.length-1)` works there only.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node jsonpath@1.3.0 jsonpath-plus@10.4.0 <<'JS'
import jsonpath from "jsonpath";
import { JSONPath } from "jsonpath-plus";

const json = { values: [1, 2, 3] };
for (const path of ["$.values[-1]", "$.values[-1:]"]) {
  console.log("jsonpath", path, JSON.stringify(jsonpath.query(json, path)));
  console.log("jsonpath-plus", path, JSON.stringify(JSONPath({ path, json })));
}
JS
with_python jsonpath-ng==1.16.0 <<'PY'
from jsonpath_ng.ext import parse

for path in ("$.values[-1]", "$.values[-1:]"):
    print("jsonpath-ng", path, [found.value for found in parse(path).find({"values": [1, 2, 3]})])
PY
with_cargo jsonpath-rust@=1.0.12 serde_json@1 <<'RUST'
use jsonpath_rust::JsonPath;

fn main() {
    let doc = serde_json::json!({"values": [1, 2, 3]});
    for path in ["$.values[-1]", "$.values[-1:]"] {
        println!("jsonpath-rust {path} {:?}", doc.query(path).unwrap());
    }
}
RUST
with_go k8s.io/client-go@v0.36.3 k8s.io/client-go/util/jsonpath@v0.36.3 <<'GO'
package main

import (
	"fmt"
	"os"

	"k8s.io/client-go/util/jsonpath"
)

func main() {
	for _, path := range []string{"{.values[-1]}", "{.values[-1:]}"} {
		parsed := jsonpath.New("seen")
		if err := parsed.Parse(path); err != nil {
			panic(err)
		}
		fmt.Print("kubectl ", path, " ")
		if err := parsed.Execute(os.Stdout, map[string]any{"values": []any{1, 2, 3}}); err != nil {
			panic(err)
		}
		fmt.Println()
	}
}
GO
expect <<'END'
jsonpath $.values[-1] []
jsonpath-plus $.values[-1] []
jsonpath $.values[-1:] [3]
jsonpath-plus $.values[-1:] [3]
jsonpath-ng $.values[-1] [3]
jsonpath-ng $.values[-1:] [3]
jsonpath-rust $.values[-1] [Number(3)]
jsonpath-rust $.values[-1:] [Number(3)]
kubectl {.values[-1]} 3
kubectl {.values[-1:]} 3
END
