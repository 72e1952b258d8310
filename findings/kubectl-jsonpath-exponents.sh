#!/usr/bin/env bash
# k8s.io/client-go 0.36.3 (Go): the JSONPath of kubectl, over what kubectl decodes.
#
# Guess: a value 1234567.5 in a status is printed as 1234567.5.
#
# Really: fractions are printed as Go's %v does: 1.2345675e+06, 1e-05, and also 1000000.0 is 1e+06. Whole numbers are
# not.
#
# Matters: `[ "$(kubectl get ... -o jsonpath=...)" -gt 5 ]`, bc and awk scripts, and `kubectl wait
# --for=jsonpath=...=0.00001` see another text than `kubectl get -o yaml` shows. Serin prints values of metrics in its
# status as text.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/client-go@v0.36.3 k8s.io/client-go/util/jsonpath@v0.36.3 k8s.io/apimachinery@v0.36.3 <<'GO'
package main

import (
	"bytes"
	"fmt"

	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/util/jsonpath"
)

func main() {
	var list any
	if err := json.Unmarshal([]byte(`{"fraction":1234567.5,"whole":1234567,"point":1000000.0,"small":0.00001}`), &list); err != nil {
		panic(err)
	}
	for _, path := range []string{"{.fraction}", "{.whole}", "{.point}", "{.small}"} {
		parsed := jsonpath.New("seen").AllowMissingKeys(true)
		if err := parsed.Parse(path); err != nil {
			fmt.Println(path, "->", err)
			continue
		}
		var told bytes.Buffer
		err := parsed.Execute(&told, list)
		fmt.Println(path, "->", told.String(), err)
	}
}
GO
expect <<'END'
{.fraction} -> 1.2345675e+06 <nil>
{.whole} -> 1234567 <nil>
{.point} -> 1e+06 <nil>
{.small} -> 1e-05 <nil>
END
