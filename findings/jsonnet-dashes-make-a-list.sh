#!/usr/bin/env bash
# github.com/google/go-jsonnet 0.22.0.
#
# Guess: std.parseYaml of a file with one object is that object, with or without a line --- at its top.
#
# Really: --- anywhere makes it a list, of one entry where there is one object, and with null for a comment in front. An
# indented field of text with a line of dashes in it does not.
#
# Matters: a library that reads Canaries with std.parseYaml(importstr ...) and merges defaults into them (`+` or
# std.mergePatch) fails, or puts nothing into the manifest, as soon as somebody's editor or `helm template` writes ---.
# Take [one for one in x if one != null][0] where std.isArray(x).
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/google/go-jsonnet@v0.22.0 <<'GO'
package main

import (
	"fmt"
	"strings"

	"github.com/google/go-jsonnet"
)

func main() {
	for _, yaml := range []string{`weight: 10`, `---\nweight: 10`, `# of web\n---\nweight: 10`, `weight: 10\n---\n`, `note: |\n  a\n  ---\n  b`} {
		for _, text := range []string{`std.parseYaml("` + yaml + `")`, `std.get(std.mergePatch({ weight: 5 }, std.parseYaml("` + yaml + `")), "weight")`} {
			value, err := jsonnet.MakeVM().EvaluateAnonymousSnippet("text", text)
			if err != nil {
				value = "error"
			}
			fmt.Println(text, "|", strings.Join(strings.Fields(value), " "))
		}
	}
}
GO
expect <<'END'
std.parseYaml("weight: 10") | { "weight": 10 }
std.get(std.mergePatch({ weight: 5 }, std.parseYaml("weight: 10")), "weight") | 10
std.parseYaml("---\nweight: 10") | [ { "weight": 10 } ]
std.get(std.mergePatch({ weight: 5 }, std.parseYaml("---\nweight: 10")), "weight") | error
std.parseYaml("# of web\n---\nweight: 10") | [ null, { "weight": 10 } ]
std.get(std.mergePatch({ weight: 5 }, std.parseYaml("# of web\n---\nweight: 10")), "weight") | error
std.parseYaml("weight: 10\n---\n") | [ { "weight": 10 }, null ]
std.get(std.mergePatch({ weight: 5 }, std.parseYaml("weight: 10\n---\n")), "weight") | error
std.parseYaml("note: |\n  a\n  ---\n  b") | { "note": "a\n---\nb\n" }
std.get(std.mergePatch({ weight: 5 }, std.parseYaml("note: |\n  a\n  ---\n  b")), "weight") | 5
END
