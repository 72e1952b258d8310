#!/usr/bin/env bash
# k8s.io/client-go 0.36.3 (Go), kubernetes/fake.
#
# Guess: the fake clientset does what a controller can tell from the API server: it refuses an update of an old version,
# counts generations, keeps spec and status apart, and selects by fields.
#
# Really: none of these. An update with an old resourceVersion overwrites what was written in between, UpdateStatus()
# writes the spec as well, the generation stays 0, a field selector and a limit are ignored, dry runs write, a delete does
# not wait for finalizers and does not ask for the uid in its preconditions. Only label selectors work.
#
# Matters: the unit tests of a controller or bot around Canaries pass, and in a cluster it loses writes of others, waits
# for ever for observedGeneration, or acts on the pods of every node. Test such things against envtest.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/client-go@v0.36.3 k8s.io/api@v0.36.3 k8s.io/apimachinery@v0.36.3 <<'GO'
package main

import (
	"context"
	"fmt"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
)

func pod(name, node string) *core.Pod {
	return &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: name, Namespace: "shop", Labels: map[string]string{"node": node}, Finalizers: []string{"a/b"}},
		Spec:       core.PodSpec{NodeName: node},
	}
}

func main() {
	ctx, replicas := context.Background(), func(n int32) *int32 { return &n }
	app := &apps.Deployment{ObjectMeta: meta.ObjectMeta{Name: "app", Namespace: "shop"}}
	client := fake.NewClientset(app, pod("a", "one"), pod("b", "two"))
	deployments, pods := client.AppsV1().Deployments("shop"), client.CoreV1().Pods("shop")

	live, _ := deployments.Get(ctx, "app", meta.GetOptions{})
	old := live.DeepCopy()
	old.ResourceVersion = "1"
	live.Spec.Replicas = replicas(3)
	live, err := deployments.Update(ctx, live, meta.UpdateOptions{})
	fmt.Println("update:", err, "generation", live.Generation)
	old, err = deployments.Update(ctx, old, meta.UpdateOptions{})
	fmt.Println("update of an old version:", err, "replicas are gone:", old.Spec.Replicas == nil)
	old.Spec.Replicas = replicas(9)
	live, err = deployments.UpdateStatus(ctx, old, meta.UpdateOptions{})
	fmt.Println("update of the status:", err, "replicas", *live.Spec.Replicas)
	patch := []byte(`{"spec":{"replicas":5}}`)
	_, err = deployments.Patch(ctx, "app", types.MergePatchType, patch, meta.PatchOptions{DryRun: []string{meta.DryRunAll}})
	live, _ = deployments.Get(ctx, "app", meta.GetOptions{})
	fmt.Println("dry run:", err, "replicas", *live.Spec.Replicas)

	for _, options := range []meta.ListOptions{{FieldSelector: "spec.nodeName=one"}, {Limit: 1}, {LabelSelector: "node=one"}} {
		list, err := pods.List(ctx, options)
		fmt.Printf("list by %q %q limit %d: %d of 2 %v\n", options.FieldSelector, options.LabelSelector, options.Limit, len(list.Items), err)
	}
	other := types.UID("another")
	err = pods.Delete(ctx, "a", meta.DeleteOptions{Preconditions: &meta.Preconditions{UID: &other}})
	list, _ := pods.List(ctx, meta.ListOptions{})
	fmt.Println("delete with a finalizer and another uid:", err, "left", len(list.Items))
}
GO
expect <<'END'
update: <nil> generation 0
update of an old version: <nil> replicas are gone: true
update of the status: <nil> replicas 9
dry run: <nil> replicas 5
list by "spec.nodeName=one" "" limit 0: 2 of 2 <nil>
list by "" "" limit 1: 2 of 2 <nil>
list by "" "node=one" limit 0: 1 of 2 <nil>
delete with a finalizer and another uid: <nil> left 1
END
