#!/usr/bin/env bash
# yaml 2.9.1 (JavaScript) writes, sigs.k8s.io/yaml 1.6.0 (kubectl, Helm) and PyYAML 6.0.4 (Python) read; against js-yaml
# 5.5.0 (JavaScript).
#
# Guess: the text 20261129_0815 is written and read as a text, since no number looks so.
#
# Really: for kubectl, Helm and PyYAML underscores between digits are part of a number: 202611290815. yaml goes by YAML
# 1.2, where it is a text, and writes it without quotes; in JavaScript it comes back as it was. js-yaml puts quotes around
# it, for such readers.
#
# Matters: a version or an image tag made of date and time loses its underscore, and becomes a number: a label with it is
# refused by the API server, and in a chart `{{ .Values.tag }}` is 2.02611290815e+11, an image that does not exist. Quote
# it in the source, and let writers quote all texts, or put a dash or a letter in.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node yaml@2.9.1 js-yaml@5.5.0 <<'JS'
import fs from "node:fs";
import { dump, load } from "js-yaml";
import { parse, stringify } from "yaml";

const value = { tag: "20261129_0815" };
console.log("yaml writes", stringify(value).trim(), "and reads", JSON.stringify(parse(stringify(value))));
console.log("js-yaml writes", dump(value).trim(), "and reads", JSON.stringify(load(dump(value))));
JS
with_go sigs.k8s.io/yaml@v1.6.0 <<'GO'
package main

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

func main() {
	for _, text := range []string{"tag: 20261129_0815", "tag: 1_0.5", "tag: v20261129_0815"} {
		out, err := yaml.YAMLToJSON([]byte(text))
		fmt.Println("kubectl reads", text, "as", string(out), err)
	}
	var values map[string]any
	yaml.Unmarshal([]byte("tag: 20261129_0815"), &values)
	fmt.Println("a chart prints", values["tag"])
}
GO
with_python PyYAML==6.0.4 <<'PY'
import yaml

print("PyYAML reads", yaml.safe_load("tag: 20261129_0815"))
PY
expect <<'END'
yaml writes tag: 20261129_0815 and reads {"tag":"20261129_0815"}
js-yaml writes tag: '20261129_0815' and reads {"tag":"20261129_0815"}
kubectl reads tag: 20261129_0815 as {"tag":202611290815} <nil>
kubectl reads tag: 1_0.5 as {"tag":10.5} <nil>
kubectl reads tag: v20261129_0815 as {"tag":"v20261129_0815"} <nil>
a chart prints 2.02611290815e+11
PyYAML reads {'tag': 202611290815}
END
