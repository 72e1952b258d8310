#!/usr/bin/env bash
# lightkube 1.0.1 (Python), against k8s.io/apimachinery 0.36.3 (Go).
#
# Guess: a client's parse_quantity() reads every quantity that the API server gives out.
#
# Really: n and u, in which metrics.k8s.io reports use of CPU (Go writes 0.0001 as 100u by itself), are refused, and
# 1E3 is.
#
# Matters: an operator in Python that looks at the use of a canary's pods fails for idle pods, and works for busy
# ones.
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
	for _, text := range []string{"0.0001", "2500n", "1E3", "1e3"} {
		quantity, err := resource.ParseQuantity(text)
		fmt.Println("Go", text, "->", quantity.String(), err)
	}
}
GO
with_python lightkube==1.0.1 <<'PY'
from lightkube.utils.quantity import parse_quantity

for text in ("100u", "2500n", "1E3", "1e3"):
    try:
        print("lightkube", text, "->", parse_quantity(text))
    except ValueError as error:
        print("lightkube", text, "->", error)
PY
expect <<'END'
Go 0.0001 -> 100u <nil>
Go 2500n -> 2500n <nil>
Go 1E3 -> 1E3 <nil>
Go 1e3 -> 1e3 <nil>
lightkube 100u -> Invalid unit suffix: u
lightkube 2500n -> Invalid unit suffix: n
lightkube 1E3 -> Invalid unit suffix: E3
lightkube 1e3 -> 1000.000
END
