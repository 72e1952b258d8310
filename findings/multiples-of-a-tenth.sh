#!/usr/bin/env bash
# jsonschema 4.26.0 (Python) and ajv 8.20.0 (JavaScript), against fastjsonschema 2.22.3 (Python), @cfworker/json-schema
# 4.1.6 (JavaScript), santhosh-tekuri/jsonschema 6.0.3 (Go; Helm) and k8s.io/kube-openapi at 43fb72c5454a (kube-apiserver
# 1.36).
#
# Guess: with `multipleOf: 0.1` a threshold may have one digit behind the point, for all validators.
#
# Really: the first two divide as floats: 0.3, 0.6, 0.7 and 1.2 are no multiples of 0.1 for them, 348 of the 1000 numbers
# from 0.1 to 100.0 are refused. The others take all of them.
#
# Matters: a check in CI refuses `thresholdRange: {max: 0.3}`, which Helm and the API server take, and passes 0.4: the
# schema looks broken for some values only. Write a pattern for text, or a limit in whole units (milliseconds, per mille).
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python jsonschema==4.26.0 fastjsonschema==2.22.3 <<'PY'
import fastjsonschema, jsonschema

schema = {"multipleOf": 0.1}
numbers = [n / 10 for n in range(1, 1001)]
refused = [n for n in numbers if not jsonschema.Draft202012Validator(schema).is_valid(n)]
print("jsonschema refuses", len(refused), refused[:6])
fast = fastjsonschema.compile(schema)
print("fastjsonschema takes all:", all(fast(n) == n for n in numbers))
PY
with_node ajv@8.20.0 @cfworker/json-schema@4.1.6 <<'JS'
import Ajv from "ajv";
import { Validator } from "@cfworker/json-schema";

const schema = { type: "number", multipleOf: 0.1 };
const numbers = Array.from({ length: 1000 }, (_, n) => (n + 1) / 10);
const [ajv, cfworker] = [new Ajv().compile(schema), new Validator(schema)];
const refused = numbers.filter((n) => !ajv(n));
console.log("ajv refuses", refused.length, refused.slice(0, 6).join());
console.log("cfworker takes all:", numbers.every((n) => cfworker.validate(n).valid));
JS
with_go github.com/santhosh-tekuri/jsonschema/v6@v6.0.3 k8s.io/kube-openapi@v0.0.0-20260317180543-43fb72c5454a \
  k8s.io/kube-openapi/pkg/validation/validate@v0.0.0-20260317180543-43fb72c5454a <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
)

func main() {
	text := `{"multipleOf": 0.1}`
	document, _ := jsonschema.UnmarshalJSON(strings.NewReader(text))
	compiler := jsonschema.NewCompiler()
	compiler.AddResource("schema.json", document)
	helm := compiler.MustCompile("schema.json")
	var schema spec.Schema
	json.Unmarshal([]byte(text), &schema)
	server := validate.NewSchemaValidator(&schema, nil, "", strfmt.Default)
	helmTakes, serverTakes := 0, 0
	for n := 1; n <= 1000; n++ {
		value, _ := jsonschema.UnmarshalJSON(strings.NewReader(fmt.Sprintf("%d.%d", n/10, n%10)))
		if helm.Validate(value) == nil {
			helmTakes++
		}
		if server.Validate(float64(n)/10).IsValid() {
			serverTakes++
		}
	}
	fmt.Println("santhosh-tekuri takes", helmTakes, "kube-openapi takes", serverTakes)
}
GO
expect <<'END'
jsonschema refuses 348 [0.3, 0.6, 0.7, 1.2, 1.4, 1.9]
fastjsonschema takes all: True
ajv refuses 348 0.3,0.6,0.7,1.2,1.4,1.9
cfworker takes all: true
santhosh-tekuri takes 1000 kube-openapi takes 1000
END
