#!/usr/bin/env bash
# github.com/tidwall/gjson 1.20.2 (Go).
#
# Guess: gjson.Get(body, "errors").Int() fails, or panics, where there is no such number.
#
# Really: it is 0 for a missing key, for null, for text that is no number, for a list, and for a page of HTML. In a body
# that was cut off it finds what stands before the cut.
#
# Matters: a gate webhook that passes on `Int() == 0` passes when the metrics server answers with its error page, or
# when the key got another name. Ask `gjson.Valid(body)` and `result.Type == gjson.Number` first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/tidwall/gjson@v1.20.2 <<'GO'
package main

import (
	"fmt"

	"github.com/tidwall/gjson"
)

func main() {
	for _, body := range []string{`{"errors": 5}`, `{"data": {"errors": 5}}`, `{"errors": null}`, `{"errors": "many"}`, `{"errors": [5]}`, `<html>502 Bad Gateway</html>`, `{"errors": 5, "al`} {
		found := gjson.Get(body, "errors")
		fmt.Println(body, "|", found.Int(), found.Type == gjson.Number, gjson.Valid(body))
	}
}
GO
expect <<'END'
{"errors": 5} | 5 true true
{"data": {"errors": 5}} | 0 false true
{"errors": null} | 0 false true
{"errors": "many"} | 0 false true
{"errors": [5]} | 0 false true
<html>502 Bad Gateway</html> | 0 false false
{"errors": 5, "al | 5 true false
END
