#!/usr/bin/env bash
# k8s.io/apiextensions-apiserver 0.36.3 (Go): what kube-apiserver does with the fields of custom resources, in its
# order.
#
# Guess: null for a field that is not nullable is refused, and `nullable: true` is enough for null to be taken.
#
# Really: null is dropped where it is not allowed, in maps too, or takes the default if there is one; in a list it is
# refused; and a nullable field with an enum refuses null unless the enum names it.
#
# Matters: "set it to null to switch it off" switches a Canary's field to its default; a client that compares what it
# sent with what is stored sees a difference for ever; and a null from a template that found nothing is an error in a
# list only.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/apiextensions-apiserver@v0.36.3 sigs.k8s.io/yaml@v1.6.0 <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"sigs.k8s.io/yaml"
)

const text = `
type: object
properties:
  weight: {type: integer, default: 50}
  plain: {type: integer}
  labels: {type: object, additionalProperties: {type: string}}
  hosts: {type: array, items: {type: string}}
  mode: {type: string, nullable: true, enum: [fast, slow]}
`

func main() {
	var external v1.JSONSchemaProps
	var internal apiextensions.JSONSchemaProps
	if err := yaml.UnmarshalStrict([]byte(text), &external); err != nil {
		panic(err)
	}
	if err := v1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&external, &internal, nil); err != nil {
		panic(err)
	}
	structural, err := schema.NewStructural(&internal)
	if err != nil {
		panic(err)
	}
	validator, _, err := validation.NewSchemaValidator(&internal)
	if err != nil {
		panic(err)
	}
	for _, sent := range []string{`{"weight":null}`, `{"plain":null}`, `{"labels":{"a":null}}`, `{"hosts":[null]}`, `{"mode":null}`} {
		var object map[string]any
		if err := json.Unmarshal([]byte(sent), &object); err != nil {
			panic(err)
		}
		pruning.Prune(object, structural, false)
		defaulting.PruneNonNullableNullsWithoutDefaults(object, structural)
		defaulting.Default(object, structural)
		stored, _ := json.Marshal(object)
		fmt.Println(sent, "->", string(stored), "refused:", len(validation.ValidateCustomResource(nil, object, validator)) > 0)
	}
}
GO
expect <<'END'
{"weight":null} -> {"weight":50} refused: false
{"plain":null} -> {"weight":50} refused: false
{"labels":{"a":null}} -> {"labels":{},"weight":50} refused: false
{"hosts":[null]} -> {"hosts":[null],"weight":50} refused: true
{"mode":null} -> {"mode":null,"weight":50} refused: true
END
