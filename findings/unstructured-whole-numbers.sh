#!/usr/bin/env bash
# k8s.io/apimachinery 0.36.3 (Go), unstructured.
#
# Guess: NestedFloat64 reads a threshold whether it is written 99, 99.0 or 99.5.
#
# Really: the Go type follows the text. 99 is an int64, and NestedFloat64 of it is an error; 99.0 and 1e2 are float64,
# and NestedInt64 of them is an error.
#
# Matters: a controller in Go that reads Canaries or metrics without types works for 99.5 and fails for 99. JavaScript
# and jq write 99.0 as 99, so that the same object works before such a tool touched it and fails after.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/apimachinery@v0.36.3 <<'GO'
package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func main() {
	for _, text := range []string{"99", "99.0", "1e2", "99.5"} {
		var canary unstructured.Unstructured
		if err := canary.UnmarshalJSON([]byte(`{"apiVersion":"flagger.app/v1beta1","kind":"Canary","min":` + text + "}")); err != nil {
			panic(err)
		}
		_, _, float := unstructured.NestedFloat64(canary.Object, "min")
		_, _, whole := unstructured.NestedInt64(canary.Object, "min")
		fmt.Printf("%-4s float64: %-5v int64: %v\n", text, float == nil, whole == nil)
	}
}
GO
expect <<'END'
99   float64: false int64: true
99.0 float64: true  int64: false
1e2  float64: true  int64: false
99.5 float64: true  int64: false
END
