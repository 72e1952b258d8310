#!/usr/bin/env bash
# ajv 8.20.0 (JavaScript), against santhosh-tekuri/jsonschema 6.0.3 (Go; Helm), jsonschema 4.26.0 and fastjsonschema
# 2.22.3 (Python) and @cfworker/json-schema 4.1.6 (JavaScript).
#
# Guess: {"$ref": "#/definitions/weight", "maximum": 50} takes a weight up to 50, in each validator.
#
# Really: by draft-07 what stands beside a $ref does not count, and all but ajv go by that: 90 is valid for Helm and
# Python, and refused by ajv. With the 2019-09 draft and later ones it counts.
#
# Matters: a values.schema.json is usually written for draft-07. The limit is there for whoever tries it out with ajv, or
# sees it, and `helm install` takes maxWeight: 90 all the same. Write it as allOf with two entries, or name a later draft.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/schema.json" <<'JSON'
{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "definitions": {"weight": {"type": "integer"}},
  "properties": {"maxWeight": {"$ref": "#/definitions/weight", "maximum": 50}}
}
JSON
sed 's#http://json-schema.org/draft-07/schema\##https://json-schema.org/draft/2020-12/schema#' "$work/schema.json" >"$work/later.json"
export work
with_node ajv@8.20.0 @cfworker/json-schema@4.1.6 <<'JS'
import fs from "node:fs";
import Ajv from "ajv";
import { Validator } from "@cfworker/json-schema";

const schema = JSON.parse(fs.readFileSync(`${process.env.work}/schema.json`));
console.log("ajv takes 90:", new Ajv({ strictTypes: false }).compile(schema)({ maxWeight: 90 }));
console.log("cfworker takes 90:", new Validator(schema, "7").validate({ maxWeight: 90 }).valid);
JS
with_python jsonschema==4.26.0 fastjsonschema==2.22.3 <<'PY'
import json, os
import fastjsonschema, jsonschema

for name in ("schema", "later"):
    schema = json.load(open(f"{os.environ['work']}/{name}.json"))
    print(name, "jsonschema takes 90:", jsonschema.validators.validator_for(schema)(schema).is_valid({"maxWeight": 90}))
schema = json.load(open(f"{os.environ['work']}/schema.json"))
print("fastjsonschema takes 90:", fastjsonschema.compile(schema)({"maxWeight": 90}) == {"maxWeight": 90})
PY
with_go github.com/santhosh-tekuri/jsonschema/v6@v6.0.3 <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func main() {
	for _, name := range []string{"schema.json", "later.json"} {
		text, _ := os.ReadFile(os.Getenv("work") + "/" + name)
		document, _ := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
		compiler := jsonschema.NewCompiler()
		compiler.AddResource(name, document)
		value, _ := jsonschema.UnmarshalJSON(strings.NewReader(`{"maxWeight": 90}`))
		fmt.Println(name, "santhosh-tekuri takes 90:", compiler.MustCompile(name).Validate(value) == nil)
	}
}
GO
expect <<'END'
ajv takes 90: false
cfworker takes 90: true
schema jsonschema takes 90: True
later jsonschema takes 90: False
fastjsonschema takes 90: True
schema.json santhosh-tekuri takes 90: true
later.json santhosh-tekuri takes 90: false
END
