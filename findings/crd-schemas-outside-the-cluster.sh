#!/usr/bin/env bash
# jsonschema 4.26.0 (Python), ajv 8.20.0 with ajv-formats 3.0.1 (JavaScript), k8s.io/kube-openapi at 43fb72c5454a (Go;
# kube-apiserver 1.36).
#
# Guess: the openAPIV3Schema of a CRD, given to a validator of JSON Schema in CI, refuses what the API server refuses.
#
# Really: null for a nullable field is refused by Python (`nullable` is OpenAPI's) and taken by ajv. `format:
# duration` is ISO 8601 for ajv, so that "1h30m" is refused; Python takes any text, also "soon". A field with
# x-kubernetes-int-or-string (of which the API server makes the types integer and string) takes anything outside the
# cluster.
#
# Matters: manifests of Canaries fail in CI and are fine, or pass and are refused. Validate with a server-side dry
# run.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python jsonschema==4.26.0 <<'PY'
import jsonschema

schema = {"type": "object", "properties": {
    "mode": {"type": "string", "nullable": True},
    "wait": {"type": "string", "format": "duration"},
    "port": {"x-kubernetes-int-or-string": True}}}
for value in ({"mode": None}, {"wait": "1h30m"}, {"wait": "soon"}, {"port": True}):
    found = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).is_valid(value)
    print("Python", value, found)
PY
with_node ajv@8.20.0 ajv-formats@3.0.1 <<'JS'
import { Ajv } from "ajv";
import formats from "ajv-formats";

const ajv = new Ajv({ strict: false });
formats.default(ajv);
const valid = ajv.compile({
  type: "object",
  properties: {
    mode: { type: "string", nullable: true },
    wait: { type: "string", format: "duration" },
    port: { "x-kubernetes-int-or-string": true },
  },
});
for (const value of [{ mode: null }, { wait: "1h30m" }, { wait: "soon" }, { port: true }]) console.log("ajv", JSON.stringify(value), valid(value));
JS
with_go k8s.io/kube-openapi@v0.0.0-20260317180543-43fb72c5454a k8s.io/kube-openapi/pkg/validation/validate@v0.0.0-20260317180543-43fb72c5454a <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
)

func main() {
	var schema spec.Schema
	text := `{"type":"object","properties":{"mode":{"type":"string","nullable":true},"wait":{"type":"string","format":"duration"},
		"port":{"type":["integer","string"]}}}`
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		panic(err)
	}
	for _, text := range []string{`{"mode":null}`, `{"wait":"1h30m"}`, `{"wait":"soon"}`, `{"port":true}`} {
		var value map[string]any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			panic(err)
		}
		fmt.Println("API server", text, validate.NewSchemaValidator(&schema, nil, "", strfmt.Default).Validate(value).IsValid())
	}
}
GO
expect <<'END'
Python {'mode': None} False
Python {'wait': '1h30m'} True
Python {'wait': 'soon'} True
Python {'port': True} True
ajv {"mode":null} true
ajv {"wait":"1h30m"} false
ajv {"wait":"soon"} false
ajv {"port":true} true
API server {"mode":null} true
API server {"wait":"1h30m"} true
API server {"wait":"soon"} false
API server {"port":true} false
END
