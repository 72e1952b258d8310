#!/usr/bin/env bash
# github.com/open-policy-agent/opa 1.22.3 (Go), Rego.
#
# Guess: to_number(null) and to_number(false) are undefined, as to_number("no data") is, so that no rule that needs them
# holds; and units.parse_bytes reads a quantity as Kubernetes does.
#
# Really: to_number of null and of false is 0, of true 1. units.parse_bytes("128m") is 128 million, where Kubernetes means
# an eighth of a byte, and units.parse("128m") is 0.128.
#
# Matters: a policy that lets a release pass by `to_number(input.failures) < 5` passes the answer of a metrics server that
# has no value and says null. And one that bounds memory passes a manifest with m for Mi, or counts it a billion times too
# large. Ask for is_number or is_string first; read quantities by a pattern.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/open-policy-agent/opa@v1.22.3 <<'GO'
package main

import (
	"context"
	"fmt"

	"github.com/open-policy-agent/opa/v1/rego"
)

func main() {
	for _, text := range []string{
		`to_number(null)`, `to_number(false)`, `to_number(true)`, `to_number("")`, `to_number("no data")`, `to_number(null) < 5`,
		`units.parse_bytes("128m")`, `units.parse_bytes("128M")`, `units.parse("128m")`,
	} {
		results, err := rego.New(rego.Query("x := " + text)).Eval(context.Background())
		if err != nil || len(results) == 0 {
			fmt.Println(text, "is undefined", err)
			continue
		}
		fmt.Println(text, "is", results[0].Bindings["x"])
	}
}
GO
expect <<'END'
to_number(null) is 0
to_number(false) is 0
to_number(true) is 1
to_number("") is undefined <nil>
to_number("no data") is undefined <nil>
to_number(null) < 5 is true
units.parse_bytes("128m") is 128000000
units.parse_bytes("128M") is 128000000
units.parse("128m") is 0.1280000000
END
