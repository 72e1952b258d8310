#!/usr/bin/env bash
# github.com/PaesslerAG/gval 1.2.4 (Go).
#
# Guess: "1.10" == "1.1" is false, since both are texts, and `in` finds what == finds.
#
# Really: == reads a text as a number wherever it can: "1.10" is "1.1", "1e2" is "100", "true" is true. `in` compares texts,
# and so do < and > between two texts: "10" < "9" holds. What is no number is compared with a number as text: an empty text
# is less than 5, "no data" is greater.
#
# Matters: `tag == "1.1"` holds for the release 1.10, so that a rule meant for one version applies to another, and
# `errors < 5` holds for a metric that came back empty, `rate > 5` for one that came back as a sentence. Compare versions
# with `in [...]` or =~.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/PaesslerAG/gval@v1.2.4 <<'GO'
package main

import (
	"fmt"

	"github.com/PaesslerAG/gval"
)

func main() {
	values := map[string]any{"tag": "1.10", "hash": "1e2", "empty": "", "failed": "no data"}
	for _, text := range []string{
		`tag == "1.1"`, `tag in ["1.1"]`, `tag =~ "^1\\.1$"`, `hash == "100"`, `"true" == true`, `"10" < "9"`, `"10" < 9`,
		`empty < 5`, `failed < 5`, `failed > 5`,
	} {
		value, err := gval.Evaluate(text, values)
		fmt.Println(text, "|", value, err)
	}
}
GO
expect <<'END'
tag == "1.1" | true <nil>
tag in ["1.1"] | false <nil>
tag =~ "^1\\.1$" | false <nil>
hash == "100" | true <nil>
"true" == true | true <nil>
"10" < "9" | true <nil>
"10" < 9 | false <nil>
empty < 5 | true <nil>
failed < 5 | false <nil>
failed > 5 | true <nil>
END
