#!/usr/bin/env bash
# gopkg.in/evanphx/json-patch.v4 4.13.0 (Go, the library of the Kubernetes API server) and json-patch 5.0.0 (Rust).
#
# Guess: a JSON merge patch replaces a list as it is given (RFC 7396: "it is not possible to patch part of an array"),
# so an object in that list keeps a member that is null.
#
# Really: Go's library removes null members of the objects in a list, at any depth, but keeps nulls that are elements
# of the list itself. Rust's library follows the RFC.
#
# Matters: an operator that compares what it sent with what the API server stored sees a difference for ever, and a fake
# API server built on the Rust library hides that. Serin drops such nulls before it compares.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go gopkg.in/evanphx/json-patch.v4@v4.13.0 <<'GO'
package main

import (
	"fmt"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
)

func main() {
	after, err := jsonpatch.MergePatch([]byte(`{"rules":[]}`), []byte(`{"rules":[{"name":"a","timeouts":null},null]}`))
	fmt.Println("Go:  ", string(after), err)
}
GO
with_cargo json-patch@=5.0.0 serde_json@1 <<'RUST'
use serde_json::json;

fn main() {
    let mut after = json!({"rules": []});
    json_patch::merge(&mut after, &json!({"rules": [{"name": "a", "timeouts": null}, null]}));
    println!("Rust: {after}");
}
RUST
expect <<'END'
Go:   {"rules":[{"name":"a"},null]} <nil>
Rust: {"rules":[{"name":"a","timeouts":null},null]}
END
