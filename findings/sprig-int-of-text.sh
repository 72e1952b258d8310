#!/usr/bin/env bash
# github.com/Masterminds/sprig/v3 3.3.0 (Go; Helm's templates).
#
# Guess: `int "08"` is 8 and `int "1.9"` is 1 or an error, and `add 1.9 1.9` is 3.8 or 3.
#
# Really: int reads text as Go source does, so that "010" is eight and "08" is no number. What is no number is 0,
# without an error: so are "1.9", "1e3" and "50%". atoi is decimal; add cuts each number before it adds: 2.
#
# Matters: a weight or a number of replicas that a chart takes from a quoted value becomes 0. For a weight that is a
# Canary that never moves traffic; for replicas it is no pods at all.
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

const text = `int: {{ int "8" }} {{ int "08" }} {{ int "010" }} {{ int "1.9" }} {{ int "1e3" }} {{ int "50%" }}
atoi: {{ atoi "08" }} {{ atoi "010" }}
add: {{ add 1.9 1.9 }}
`

func main() {
	if err := template.Must(template.New("").Funcs(sprig.TxtFuncMap()).Parse(text)).Execute(os.Stdout, nil); err != nil {
		panic(err)
	}
}
GO
expect <<'END'
int: 8 0 8 0 0 0
atoi: 8 10
add: 2
END
