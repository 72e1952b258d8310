#!/usr/bin/env bash
# k8s.io/client-go 0.36.3 (Go): the JSONPath of kubectl, over what kubectl decodes.
#
# Guess: {.items[?(@.phase in ['Failed'])].name} selects the failed ones, or is refused as =~ and || are.
#
# Really: it selects all that have a phase: what follows the first operand is ignored.
#
# Matters: `kubectl get canaries -o jsonpath=... | xargs kubectl delete canary` deletes all. Write one filter for each
# value, with ==.
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
	if err := json.Unmarshal([]byte(`{"items":[{"name":"a","phase":"Failed"},{"name":"b","phase":"Succeeded"},{"name":"c"}]}`), &list); err != nil {
		panic(err)
	}
	for _, path := range []string{`{.items[?(@.phase in ['Failed'])].name}`, `{.items[?(@.phase=="Failed")].name}`, `{.items[?(@.phase=~"Failed")].name}`} {
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
{.items[?(@.phase in ['Failed'])].name} -> a b <nil>
{.items[?(@.phase=="Failed")].name} -> a <nil>
{.items[?(@.phase=~"Failed")].name} -> unrecognized character in action: U+007E '~'
END
