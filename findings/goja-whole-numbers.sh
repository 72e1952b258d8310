#!/usr/bin/env bash
# github.com/dop251/goja v0.0.0-20260917113740-793a2a65c13b (Go).
#
# Guess: Export() of a number of JavaScript is a float64, since JavaScript has no other.
#
# Really: it is an int64 for each whole number, also for 100 / 2, 1e3 and 0.1 * 10, and a float64 for 99.5, -0 and NaN. Numbers in
# an array that is exported are of both types. ToFloat() gives a float64 always.
#
# Matters: a gate in Go that runs a condition or a metric in JavaScript and asserts Export().(float64) works for 99.5 and panics
# or takes 0 for 100. Use ToFloat(), or ExportTo a float64.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/dop251/goja@v0.0.0-20260917113740-793a2a65c13b <<'GO'
package main

import (
	"fmt"

	"github.com/dop251/goja"
)

func main() {
	vm := goja.New()
	for _, text := range []string{"99.5", "100", "100 / 2", "100 / 8", "1e3", "0.1 * 10", "Number('7')", "-0", "NaN"} {
		value, err := vm.RunString(text)
		if err != nil {
			panic(err)
		}
		rate, ok := value.Export().(float64)
		fmt.Printf("%s: Export %T, .(float64) %v %v, ToFloat %v\n", text, value.Export(), rate, ok, value.ToFloat())
	}
	value, err := vm.RunString("[99.5, 100]")
	if err != nil {
		panic(err)
	}
	for _, entry := range value.Export().([]any) {
		fmt.Printf("entry of [99.5, 100]: %T\n", entry)
	}
	var rates []float64
	fmt.Println("ExportTo:", vm.ExportTo(value, &rates), rates)
}
GO
expect <<'END'
99.5: Export float64, .(float64) 99.5 true, ToFloat 99.5
100: Export int64, .(float64) 0 false, ToFloat 100
100 / 2: Export int64, .(float64) 0 false, ToFloat 50
100 / 8: Export float64, .(float64) 12.5 true, ToFloat 12.5
1e3: Export int64, .(float64) 0 false, ToFloat 1000
0.1 * 10: Export int64, .(float64) 0 false, ToFloat 1
Number('7'): Export int64, .(float64) 0 false, ToFloat 7
-0: Export float64, .(float64) -0 true, ToFloat -0
NaN: Export float64, .(float64) NaN true, ToFloat NaN
entry of [99.5, 100]: float64
entry of [99.5, 100]: int64
ExportTo: <nil> [99.5 100]
END
