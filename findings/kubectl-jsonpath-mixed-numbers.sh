#!/usr/bin/env bash
# k8s.io/client-go 0.36.3 (Go): the JSONPath of kubectl, over what kubectl decodes.
#
# Guess: {.items[?(@.value>0.7)].name} compares numbers.
#
# Really: it compares values of one Go type. 1 is an int64 and 0.5 a float64, so that one whole number among
# fractions, or a literal without a point, fails the whole list with "incompatible types for comparison".
#
# Matters: a script over values of Canaries (99.5, 98.7) works until one is 100, and then selects nothing. Use kubectl
# get -o json and jq.
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
	if err := json.Unmarshal([]byte(`{"all":[{"name":"a","value":99.5},{"name":"b","value":98.7}],"later":[{"name":"a","value":99.5},{"name":"b","value":100}]}`), &list); err != nil {
		panic(err)
	}
	for _, path := range []string{"{.all[?(@.value>99.0)].name}", "{.all[?(@.value>99)].name}", "{.later[?(@.value>99.0)].name}"} {
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
{.all[?(@.value>99.0)].name} -> a <nil>
{.all[?(@.value>99)].name} ->  incompatible types for comparison
{.later[?(@.value>99.0)].name} ->  incompatible types for comparison
END
