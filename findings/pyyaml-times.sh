#!/usr/bin/env bash
# PyYAML 6.0.4 reads and writes, k8s.io/apimachinery 0.36.3 (Go) reads.
#
# Guess: loading a manifest and dumping it again changes no value.
#
# Really: a bare RFC 3339 time is a datetime to PyYAML, and it is written in another form, with a blank for the T,
# which metav1.Time refuses.
#
# Matters: kubectl quotes times for this reason, other writers leave them bare. A backup of a Canary that has gone
# through such a writer and a Python tool cannot be applied: its status.lastTransitionTime no longer parses.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python PyYAML==6.0.4 <<'PY'
import yaml

print(yaml.safe_dump(yaml.safe_load("lastTransitionTime: 2026-01-01T00:00:00Z")), end="")
PY
with_go k8s.io/apimachinery@v0.36.3 sigs.k8s.io/yaml@v1.6.0 <<'GO'
package main

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	for _, text := range []string{"2026-01-01T00:00:00Z", "2026-01-01 00:00:00+00:00"} {
		var condition metav1.Condition
		fmt.Println(text, "read:", yaml.Unmarshal([]byte("lastTransitionTime: "+text), &condition) == nil)
	}
}
GO
expect <<'END'
lastTransitionTime: 2026-01-01 00:00:00+00:00
2026-01-01T00:00:00Z read: true
2026-01-01 00:00:00+00:00 read: false
END
