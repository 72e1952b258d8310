#!/usr/bin/env bash
# k8s.io/apimachinery 0.36.3 (Go), against kubernetes 37.0.2 (Python).
#
# Guess: Value() of the quantity 99500m is 99, as int() cuts in Go, and AsInt64() gives the same or says no.
#
# Really: Value() rounds away from zero: 99500m is 100, 1m is 1, -1m is -1. MilliValue() does so too: 1u is 1.
#
# Matters: the values of the metrics API are quantities, and a gate in Go that reads a success rate of 99.5 by Value() >= 100
# sees no failure at all, one that reads a rate of 0.001 failures per second sees 1. Use AsApproximateFloat64();
# in Python parse_quantity() is exact.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/apimachinery@v0.36.3 <<'GO'
package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
)

func main() {
	for _, text := range []string{"99500m", "99.000001", "1m", "-1m", "1u"} {
		quantity := resource.MustParse(text)
		whole, ok := quantity.AsInt64()
		fmt.Println("Go:", text, quantity.Value(), quantity.MilliValue(), whole, ok, quantity.AsApproximateFloat64())
	}
}
GO
with_python kubernetes==37.0.2 <<'PY'
from kubernetes.utils import parse_quantity

print("Python:", *(float(parse_quantity(text)) for text in ("99500m", "99.000001", "1m", "-1m", "1u")))
PY
expect <<'END'
Go: 99500m 100 99500 0 false 99.5
Go: 99.000001 100 99001 0 false 99.000001
Go: 1m 1 1 0 false 0.001
Go: -1m -1 -1 0 false -0.001
Go: 1u 1 1 0 false 1e-06
Python: 99.5 99.000001 0.001 -0.001 1e-06
END
