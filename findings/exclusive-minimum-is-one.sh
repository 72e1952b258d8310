#!/usr/bin/env bash
# jsonschema 4.26.0 and fastjsonschema 2.22.3 (Python), @cfworker/json-schema 4.1.6 (JavaScript), against
# k8s.io/kube-openapi at 43fb72c5454a (kube-apiserver 1.36), ajv 8.20.0 (JavaScript), santhosh-tekuri/jsonschema 6.0.3
# (Go; Helm).
#
# Guess: `minimum: 0, exclusiveMinimum: true`, as a CRD writes "above zero", means that to a validator of JSON Schema, or
# it refuses the schema.
#
# Really: the first three take true for the number 1: 0.5 and 1 are refused. ajv and santhosh-tekuri refuse the schema.
# Only the API server takes 0.5.
#
# Matters: a check in CI by the schema of a CRD refuses small thresholds that are right, and passes the larger ones; with
# exclusiveMaximum: true everything from 1 on is refused. Turn the pair into a number first, exclusiveMinimum: 0, or use a
# server-side dry run.
#
# Seen, 0, 0.5, 1 and 2: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python jsonschema==4.26.0 fastjsonschema==2.22.3 <<'PY'
import fastjsonschema, jsonschema

schema = {"type": "number", "minimum": 0, "exclusiveMinimum": True}
print("jsonschema:", [jsonschema.Draft202012Validator(schema).is_valid(n) for n in (0, 0.5, 1, 2)])
fast = fastjsonschema.compile(schema)
for n in (0.5, 2):
    try:
        print("fastjsonschema:", fast(n))
    except fastjsonschema.JsonSchemaException as error:
        print("fastjsonschema:", error)
PY
with_node ajv@8.20.0 @cfworker/json-schema@4.1.6 <<'JS'
import Ajv from "ajv";
import { Validator } from "@cfworker/json-schema";

const schema = { type: "number", minimum: 0, exclusiveMinimum: true };
console.log("cfworker:", [0, 0.5, 1, 2].map((n) => new Validator(schema).validate(n).valid).join());
try {
  new Ajv().compile(schema);
} catch (error) {
  console.log("ajv:", error.message);
}
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
	text := `{"type": "number", "minimum": 0, "exclusiveMinimum": true}`
	var schema spec.Schema
	json.Unmarshal([]byte(text), &schema)
	server := validate.NewSchemaValidator(&schema, nil, "", strfmt.Default)
	for _, n := range []float64{0, 0.5, 1, 2} {
		fmt.Println("kube-openapi:", n, server.Validate(n).IsValid())
	}
	document, _ := jsonschema.UnmarshalJSON(strings.NewReader(text))
	compiler := jsonschema.NewCompiler()
	compiler.AddResource("schema.json", document)
	_, err := compiler.Compile("schema.json")
	fmt.Println("santhosh-tekuri takes the schema:", err == nil)
}
GO
expect <<'END'
jsonschema: [False, False, False, True]
fastjsonschema: data must be bigger than True
fastjsonschema: 2
cfworker: false,false,false,true
ajv: schema is invalid: data/exclusiveMinimum must be number
kube-openapi: 0 false
kube-openapi: 0.5 true
kube-openapi: 1 true
kube-openapi: 2 true
santhosh-tekuri takes the schema: false
END
