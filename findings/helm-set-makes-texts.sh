#!/usr/bin/env bash
# Helm 3.22.0 (its package strvals), against sigs.k8s.io/yaml 1.6.0, with which it reads values files.
#
# Guess: --set takes numbers for numbers, as a values file does: threshold=99.5 is the number 99.5.
#
# Really: whole numbers are numbers, fractions are texts: 99 is 99, 99.5 is "99.5", 1.0 is "1.0", 1e3 is "1e3".
#
# Matters: a template with toYaml writes a threshold of a Canary with quotes, and the API server refuses it, where the same
# value in a file is taken; a schema of the chart that asks for a number refuses it too, and `gt` fails on the two types.
# All works as long as values are whole. Use --set-json, or a values file.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go helm.sh/helm/v3@v3.22.0 sigs.k8s.io/yaml@v1.6.0 <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"helm.sh/helm/v3/pkg/strvals"
	"sigs.k8s.io/yaml"
)

func main() {
	for _, text := range []string{"99", "99.5", "1.0", "1e3", "-1", "-0.5"} {
		set, _ := strvals.Parse("threshold=" + text)
		file := map[string]any{}
		yaml.Unmarshal([]byte("threshold: "+text), &file)
		line, _ := json.Marshal([]any{set["threshold"], file["threshold"]})
		fmt.Println(text, "by --set and by -f:", string(line))
	}
}
GO
expect <<'END'
99 by --set and by -f: [99,99]
99.5 by --set and by -f: ["99.5",99.5]
1.0 by --set and by -f: ["1.0",1]
1e3 by --set and by -f: ["1e3",1000]
-1 by --set and by -f: [-1,-1]
-0.5 by --set and by -f: ["-0.5",-0.5]
END
