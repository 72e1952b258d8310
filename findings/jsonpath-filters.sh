#!/usr/bin/env bash
# jsonpath 1.3.0 and jsonpath-plus 10.4.0 (JavaScript), jsonpath-rust 1.0.12 (Rust; kube's), which follows
# RFC 9535.
#
# Guess: $.items[?(@.errors)] gives the items that have a member errors, and [?(@.errors < 1)] those where it is below
# 1.
#
# Really: in JavaScript the filter is an expression of that language. An item with errors 0, false or "" has none, and
# null is below 1. RFC 9535 asks for existence, and null is comparable with null only.
#
# Matters: a jsonPath of a metric that was tried out with a JavaScript library gives other values in the cluster: here
# an item that reports 0 errors is left out there, and counted here.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node jsonpath@1.3.0 jsonpath-plus@10.4.0 <<'JS'
import jsonpath from "jsonpath";
import { JSONPath } from "jsonpath-plus";

const json = { items: [{ n: "five", errors: 5 }, { n: "zero", errors: 0 }, { n: "null", errors: null }, { n: "absent" }] };
for (const path of ["$.items[?(@.errors)].n", "$.items[?(@.errors < 1)].n", "$.items[?(@.errors == '5')].n"]) {
  console.log("jsonpath", path, jsonpath.query(json, path).join());
  console.log("jsonpath-plus", path, JSONPath({ path, json }).join());
}
JS
with_cargo jsonpath-rust@=1.0.12 serde_json@1 <<'RUST'
use jsonpath_rust::JsonPath;
use serde_json::json;

fn main() {
    let doc = json!({"items": [{"n": "five", "errors": 5}, {"n": "zero", "errors": 0}, {"n": "null", "errors": null}, {"n": "absent"}]});
    for path in ["$.items[?(@.errors)].n", "$.items[?(@.errors < 1)].n", "$.items[?(@.errors == '5')].n"] {
        let found: Vec<&str> = doc.query(path).unwrap().into_iter().filter_map(|v| v.as_str()).collect();
        println!("jsonpath-rust {path} {}", found.join(","));
    }
}
RUST
expect <<'END'
jsonpath $.items[?(@.errors)].n five
jsonpath-plus $.items[?(@.errors)].n five
jsonpath $.items[?(@.errors < 1)].n zero,null
jsonpath-plus $.items[?(@.errors < 1)].n zero,null
jsonpath $.items[?(@.errors == '5')].n five
jsonpath-plus $.items[?(@.errors == '5')].n five
jsonpath-rust $.items[?(@.errors)].n five,zero,null
jsonpath-rust $.items[?(@.errors < 1)].n zero
jsonpath-rust $.items[?(@.errors == '5')].n 
END
