#!/usr/bin/env bash
# kube-core 5.0.0 (Rust) writes, k8s.io/apimachinery 0.36.3 (Go; the API server) reads.
#
# Guess: a selector whose In has no values selects nothing, in memory and at the API server.
#
# Really: in memory it selects nothing. As text it is "app in ()", and to the API server that is a list with one empty
# text: it selects what has the label app with no value. NotIn of nothing selects everything in memory and leaves those
# out at the server.
#
# Matters: a list of names that happens to be empty gives another set in the cache of a controller than in a list or a
# deletecollection at the API server. The object form (matchExpressions) with no values is refused by both.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
mkdir -p "$work/cargo"
cat >"$work/cargo/Cargo.toml" <<'TOML'
[package]
name = "seen"
edition = "2024"

[dependencies]
k8s-openapi = { version = "=0.29.0", features = ["v1_37"] }
TOML
with_cargo kube-core@=5.0.0 <<'RUST'
use std::collections::{BTreeMap, BTreeSet};

use kube_core::{Expression, Selector, SelectorExt};

fn main() {
    let empty = BTreeMap::from([("app".to_owned(), String::new())]);
    for expression in [Expression::In("app".into(), BTreeSet::new()), Expression::NotIn("app".into(), BTreeSet::new())] {
        let selector = Selector::from(expression);
        println!("Rust {selector} selects app without a value: {}", selector.matches(&empty));
    }
}
RUST
with_go k8s.io/apimachinery@v0.36.3 <<'GO'
package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/labels"
)

func main() {
	for _, text := range []string{"app in ()", "app notin ()"} {
		selector, err := labels.Parse(text)
		fmt.Println("Go  ", text, "selects app without a value:", selector.Matches(labels.Set{"app": ""}), err)
	}
}
GO
expect <<'END'
Rust app in () selects app without a value: false
Rust app notin () selects app without a value: true
Go   app in () selects app without a value: true <nil>
Go   app notin () selects app without a value: false <nil>
END
