#!/usr/bin/env bash
# k8s.io/apimachinery 0.36.3 and client-go 0.36.3 (Go): what the API server does for server-side apply, as Helm 4, Flux and
# `kubectl apply --server-side` ask for it.
#
# Guess: applying `options: {}` where `options: {a: 1}` was applied before leaves `options: {}`, which is what was asked for.
#
# Really: it leaves `options: null`, since the field that is given up takes its now empty parent along. The same apply once
# more makes it `{}`. With built-in types it is so for `emptyDir: {sizeLimit: 1Gi}` that becomes `emptyDir: {}`. Applied
# as new, `{}` stays.
#
# Matters: where `{}` means something ("all of them", "with its defaults") a change to it switches the feature off until the
# same is applied again: for a custom resource the API server drops the null (crd-four-nulls.sh). Serin's `startGate: {}`,
# wait until somebody asks, is such a field: after a change from `{deadline: 24h}` the next run begins by itself. Apply
# twice, or write a field of it out, as `{name: release}`.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/client-go/applyconfigurations@v0.36.3 k8s.io/apimachinery/pkg/util/managedfields/managedfieldstest@v0.36.3 <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/managedfields/managedfieldstest"
	apply "k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
)

// applied prints what each of these specs leaves, applied one after the other by one manager.
func applied(version, kind string, types managedfields.TypeConverter, specs ...string) {
	server := managedfieldstest.NewTestFieldManager(types, schema.FromAPIVersionAndKind(version, kind))
	for _, spec := range specs {
		wanted := map[string]any{}
		text := fmt.Sprintf(`{"apiVersion": %q, "kind": %q, "metadata": {"name": "app"}, "spec": %s}`, version, kind, spec)
		if err := json.Unmarshal([]byte(text), &wanted); err != nil {
			panic(err)
		}
		if err := server.Apply(&unstructured.Unstructured{Object: wanted}, "git", false); err != nil {
			panic(err)
		}
		live, _ := json.Marshal(server.Live().(*unstructured.Unstructured).Object["spec"])
		fmt.Printf("%s, applied: %s\n%s, left:    %s\n", kind, spec, kind, live)
	}
}

func main() {
	applied("flagger.app/v1beta1", "Canary", managedfields.NewDeducedTypeConverter(),
		`{"options":{}}`, `{"options":{"a":1}}`, `{"options":{}}`, `{"options":{}}`)
	volumes := `{"template":{"spec":{"volumes":[{"emptyDir":%s,"name":"v"}]}}}`
	applied("apps/v1", "Deployment", apply.NewTypeConverter(scheme.Scheme),
		fmt.Sprintf(volumes, `{"sizeLimit":"1Gi"}`), fmt.Sprintf(volumes, `{}`), fmt.Sprintf(volumes, `{}`))
}
GO
expect <<'END'
Canary, applied: {"options":{}}
Canary, left:    {"options":{}}
Canary, applied: {"options":{"a":1}}
Canary, left:    {"options":{"a":1}}
Canary, applied: {"options":{}}
Canary, left:    {"options":null}
Canary, applied: {"options":{}}
Canary, left:    {"options":{}}
Deployment, applied: {"template":{"spec":{"volumes":[{"emptyDir":{"sizeLimit":"1Gi"},"name":"v"}]}}}
Deployment, left:    {"template":{"spec":{"volumes":[{"emptyDir":{"sizeLimit":"1Gi"},"name":"v"}]}}}
Deployment, applied: {"template":{"spec":{"volumes":[{"emptyDir":{},"name":"v"}]}}}
Deployment, left:    {"template":{"spec":{"volumes":[{"emptyDir":null,"name":"v"}]}}}
Deployment, applied: {"template":{"spec":{"volumes":[{"emptyDir":{},"name":"v"}]}}}
Deployment, left:    {"template":{"spec":{"volumes":[{"emptyDir":{},"name":"v"}]}}}
END
