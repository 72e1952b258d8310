#!/usr/bin/env bash
# k8s.io/kube-openapi at 43fb72c5454a (Go; what kube-apiserver 1.36 checks formats of CRDs with).
#
# Guess: a CRD field with `format: duration` admits what Go's time.ParseDuration reads, since controllers read it so.
#
# Really: it admits "1d", "2 weeks", "10 s" and ISO 8601's "P1D" too, none of which ParseDuration and metav1.Duration
# read.
#
# Matters: the API server stores such an object, and then the controller cannot decode it: one object can stop a typed
# watch of all. Use a pattern, as Flagger's and Serin's CRDs do for intervals.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/kube-openapi@v0.0.0-20260317180543-43fb72c5454a k8s.io/kube-openapi/pkg/validation/strfmt@v0.0.0-20260317180543-43fb72c5454a <<'GO'
package main

import (
	"fmt"
	"time"

	"k8s.io/kube-openapi/pkg/validation/strfmt"
)

func main() {
	for _, text := range []string{"1h30m", "1d", "2 weeks", "10 s", "P1D", "90"} {
		_, err := time.ParseDuration(text)
		fmt.Printf("%-8s admitted: %-5v read by Go: %v\n", text, strfmt.Default.Validates("duration", text), err == nil)
	}
}
GO
expect <<'END'
1h30m    admitted: true  read by Go: true
1d       admitted: true  read by Go: false
2 weeks  admitted: true  read by Go: false
10 s     admitted: true  read by Go: false
P1D      admitted: true  read by Go: false
90       admitted: false read by Go: false
END
