#!/usr/bin/env bash
# github.com/Masterminds/sprig/v3 3.3.0 (Go; Helm's templates).
#
# Guess: `merge given defaults` takes from the defaults only what is not given.
#
# Really: what is given as false, 0 or "" counts as not given and takes the default. mergeOverwrite with the two the
# other way round keeps false and 0.
#
# Matters: a chart that merges a user's Canary values with its defaults this way turns `suspend: false`, `maxWeight:
# 0` or `skipAnalysis: false` into the chart's default, without a word. Write `mergeOverwrite (deepCopy defaults)
# given`.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/Masterminds/sprig/v3@v3.3.0 <<'GO'
package main

import (
	"os"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

const text = `{{ merge (dict "suspend" false "weight" 0) (dict "suspend" true "weight" 50) | toJson }}
{{ mergeOverwrite (dict "suspend" true "weight" 50) (dict "suspend" false "weight" 0) | toJson }}
`

func main() {
	if err := template.Must(template.New("").Funcs(sprig.TxtFuncMap()).Parse(text)).Execute(os.Stdout, nil); err != nil {
		panic(err)
	}
}
GO
expect <<'END'
{"suspend":true,"weight":50}
{"suspend":false,"weight":0}
END
