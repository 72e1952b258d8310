#!/usr/bin/env bash
# github.com/open-policy-agent/opa 1.22.3 (Go).
#
# Guess: comparing a text or null with a number is an error, or undefined, as a missing member is; to_number of what is no
# number is undefined; numbers are exact decimals, since 0.1 + 0.2 == 0.3 holds.
#
# Really: all types have one order: null, truth, numbers, texts, lists. null and false are less than every number, "12" and
# [] are more. to_number(null) is 0, to_number("") is undefined. 100 * 0.999 is 99.899999999999999994. %.1f of a whole
# number prints its type.
#
# Matters: values of Prometheus are texts, so `rate >= 99` in a policy that admits a release passes for "12", and
# `errors <= 0.05` passes for null; a share of just the threshold fails. Ask is_number first, and round(x * 1000).
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/open-policy-agent/opa@v1.22.3 <<'GO'
package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/open-policy-agent/opa/v1/rego"
)

func main() {
	var input any
	json.Unmarshal([]byte(`{"text": "12", "nothing": null, "no": false, "empty": [], "whole": 99, "share": 0.999}`), &input)
	for _, text := range []string{
		`input.text >= 99`, `input.empty >= 99`, `input.nothing <= 0.05`, `input.no <= 0.05`, `input.missing <= 0.05`,
		`to_number(input.nothing)`, `to_number("")`,
		`0.1 + 0.2 == 0.3`, `100 * input.share`, `100 * input.share >= 99.9`, `sprintf("%.1f", [input.whole])`,
	} {
		results, err := rego.New(rego.Query("value := "+text), rego.Input(input)).Eval(context.Background())
		if err != nil {
			panic(err)
		}
		if len(results) == 0 {
			fmt.Println(text, "| undefined")
			continue
		}
		fmt.Println(text, "|", results[0].Bindings["value"])
	}
}
GO
expect <<'END'
input.text >= 99 | true
input.empty >= 99 | true
input.nothing <= 0.05 | true
input.no <= 0.05 | true
input.missing <= 0.05 | undefined
to_number(input.nothing) | 0
to_number("") | undefined
0.1 + 0.2 == 0.3 | true
100 * input.share | 99.899999999999999994
100 * input.share >= 99.9 | false
sprintf("%.1f", [input.whole]) | %!f(int64=99)
END
