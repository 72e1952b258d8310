#!/usr/bin/env bash
# CUE 0.17.1, sigs.k8s.io/json 11ed52e25bc5 (what the API server reads with), sigs.k8s.io/yaml 1.6.0 (kubectl), PyYAML 6.0.4.
#
# Guess: 50/2 is the number 25, and 1e3 the number 1000, in what CUE exports.
#
# Really: 50/2 is written 25.0 and 1e3 as 1E+3, in JSON and in YAML. The API server's reader refuses both for a whole number
# in JSON. As YAML kubectl turns them into 25 and 1000; PyYAML reads 1E+3 as a text.
#
# Matters: a number of replicas that is calculated in CUE is refused through clients that send JSON, and fine
# with kubectl; the texts of other numbers change on the way through Python. Use div(50, 2), and write numbers out.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go cuelang.org/go/cue/cuecontext@v0.17.1 cuelang.org/go/encoding/yaml@v0.17.1 sigs.k8s.io/yaml@v1.6.0 sigs.k8s.io/json@v0.0.0-20260909141634-11ed52e25bc5 <<GO
package main

import (
	"fmt"
	"os"

	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/encoding/yaml"
	"sigs.k8s.io/json"
	kubectl "sigs.k8s.io/yaml"
)

func main() {
	for _, text := range []string{"replicas: 50/2", "replicas: div(50, 2)", "replicas: 1e3"} {
		value := cuecontext.New().CompileString(text)
		asJSON, err := value.MarshalJSON()
		if err != nil {
			panic(err)
		}
		asYAML, _ := yaml.Encode(value)
		var spec struct {
			Replicas int32 \`json:"replicas"\`
		}
		refused := json.UnmarshalCaseSensitivePreserveInts(asJSON, &spec) != nil
		line, _ := kubectl.YAMLToJSON(asYAML)
		fmt.Printf("%s is %s, refused: %v; through kubectl %s\n", text, asJSON, refused, line)
		os.WriteFile("$work/manifest", asYAML, 0o644)
	}
}
GO
with_python PyYAML==6.0.4 <<PY
import yaml

print("PyYAML reads", yaml.safe_load(open("$work/manifest")))
PY
expect <<'END'
replicas: 50/2 is {"replicas":25.0}, refused: true; through kubectl {"replicas":25}
replicas: div(50, 2) is {"replicas":25}, refused: false; through kubectl {"replicas":25}
replicas: 1e3 is {"replicas":1E+3}, refused: true; through kubectl {"replicas":1000}
PyYAML reads {'replicas': '1E+3'}
END
