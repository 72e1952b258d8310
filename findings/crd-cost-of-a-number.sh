#!/usr/bin/env bash
# k8s.io/apiextensions-apiserver 0.36.3 (Go): the estimate of costs that kube-apiserver makes of CRDs.
#
# Guess: messageExpression: '"weight is " + string(self)' on an integer is cheap: a number has at most 20 digits.
#
# Really: the estimate knows no size of string(number), and the sum of a text of unknown size is "more than 100x" over
# the budget: the CRD is refused, and the remedy that is named (maxLength, maxItems) has no place on an integer.
# string(self) alone passes, and so does the sum of texts without a maxLength.
#
# Matters: messages of a CRD's rules cannot say which number was wrong this way, and an upgrade that adds one is
# refused as a whole. Write '"weight is %d".format([self])'.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/apiextensions-apiserver@v0.36.3 sigs.k8s.io/yaml@v1.6.0 <<'GO'
package main

import (
	"context"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"sigs.k8s.io/yaml"
)

const text = `
metadata: {name: canaries.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: canaries, singular: canary, kind: Canary, listKind: CanaryList}
  conversion: {strategy: None}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          field:
            type: %s
            x-kubernetes-validations: [{rule: "self == self", messageExpression: '%s'}]
status: {storedVersions: [v1]}
`

func main() {
	for _, field := range [][2]string{
		{"integer", `"weight is " + string(self)`},
		{"integer", `string(self)`},
		{"integer", `"weight is %d".format([self])`},
		{"string", `"name is " + self`},
	} {
		var external v1.CustomResourceDefinition
		var internal apiextensions.CustomResourceDefinition
		if err := yaml.UnmarshalStrict([]byte(fmt.Sprintf(text, field[0], field[1])), &external); err != nil {
			panic(err)
		}
		if err := v1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&external, &internal, nil); err != nil {
			panic(err)
		}
		errs := validation.ValidateCustomResourceDefinition(context.Background(), &internal)
		fmt.Println(field[0], field[1], "refused:", len(errs) > 0)
	}
}
GO
expect <<'END'
integer "weight is " + string(self) refused: true
integer string(self) refused: false
integer "weight is %d".format([self]) refused: false
string "name is " + self refused: false
END
