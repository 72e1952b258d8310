#!/usr/bin/env bash
# github.com/google/go-jsonnet 0.22.0.
#
# Guess: 99.9 in Jsonnet is 99.9 in the JSON it writes.
#
# Really: numbers are printed with 17 digits, 99.900000000000006, also where they become text ("%s" % 99.9). Only
# std.manifestYamlDoc and std.manifestJsonMinified print 99.9, so that two ways of output give two manifests.
#
# Matters: thresholds of Canaries (99.9) differ from what was reviewed, in diffs of GitOps tools for as long as the
# other side was written another way, and within PromQL texts built with %s. Write fractions of queries as text.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/google/go-jsonnet@v0.22.0 <<'GO'
package main

import (
	"fmt"

	"github.com/google/go-jsonnet"
)

func main() {
	for _, text := range []string{"99.9", `"rate > %s" % 99.9`, "std.manifestYamlDoc({min: 99.9})", "std.manifestJsonMinified({min: 99.9})"} {
		told, err := jsonnet.MakeVM().EvaluateAnonymousSnippet("seen", text)
		if err != nil {
			panic(err)
		}
		fmt.Print(text, " -> ", told)
	}
}
GO
expect <<'END'
99.9 -> 99.900000000000006
"rate > %s" % 99.9 -> "rate > 99.900000000000006"
std.manifestYamlDoc({min: 99.9}) -> "\"min\": 99.9"
std.manifestJsonMinified({min: 99.9}) -> "{\"min\":99.9}"
END
