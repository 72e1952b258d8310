#!/usr/bin/env bash
# jsonschema 4.26.0 and pydantic 2.12.4 (Python), ajv 8.20.0 (JavaScript), k8s.io/kube-openapi 43fb72c5454a (API server).
#
# Guess: the pattern ^[0-9]+(s|m|h)$ admits the same texts in each validator of JSON Schema: "30s" and not "30s\n".
#
# Really: "$" of Python matches before a line break at the end as well. jsonschema takes "30s\n"; ajv, the API server and
# pydantic, whose expressions are Rust's, refuse it.
#
# Matters: a value from a block scalar (interval: |) or from a file ends in a line break. A check in Python passes a
# Canary that the API server refuses. Use \Z in Python, which JavaScript and Go do not know, or a server-side dry run.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python jsonschema==4.26.0 pydantic==2.12.4 <<'PY'
import typing
import jsonschema
import pydantic

interval = {"type": "string", "pattern": "^[0-9]+(s|m|h)$"}
Interval = pydantic.TypeAdapter(typing.Annotated[str, pydantic.StringConstraints(pattern=interval["pattern"])])
for text in ("30s", "30s\n"):
    print("jsonschema", repr(text), jsonschema.Draft202012Validator(interval).is_valid(text))
    try:
        Interval.validate_python(text)
        print("pydantic", repr(text), True)
    except pydantic.ValidationError:
        print("pydantic", repr(text), False)
PY
with_node ajv@8.20.0 <<'JS'
import Ajv from "ajv";

const valid = new Ajv().compile({ type: "string", pattern: "^[0-9]+(s|m|h)$" });
for (const text of ["30s", "30s\n"]) console.log("ajv", JSON.stringify(text), valid(text));
JS
with_go k8s.io/kube-openapi@v0.0.0-20260317180543-43fb72c5454a k8s.io/kube-openapi/pkg/validation/validate@v0.0.0-20260317180543-43fb72c5454a <<'GO'
package main

import (
	"fmt"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
)

func main() {
	interval := &spec.Schema{SchemaProps: spec.SchemaProps{Type: []string{"string"}, Pattern: "^[0-9]+(s|m|h)$"}}
	for _, text := range []string{"30s", "30s\n"} {
		fmt.Printf("kube-openapi %q %v\n", text, validate.NewSchemaValidator(interval, nil, "", strfmt.Default).Validate(text).IsValid())
	}
}
GO
expect <<'END'
jsonschema '30s' True
pydantic '30s' True
jsonschema '30s\n' True
pydantic '30s\n' False
ajv "30s" true
ajv "30s\n" false
kube-openapi "30s" true
kube-openapi "30s\n" false
END
