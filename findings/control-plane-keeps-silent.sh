#!/usr/bin/env bash
# github.com/envoyproxy/go-control-plane 0.14.0 (Go).
#
# Guess: a proxy that asks for the endpoints of `primary` gets those of the snapshot, whatever else is in it.
#
# Really: with NewSnapshotCache(true, ...), the mode for ADS, which puts all kinds on one stream, a request that does not
# name all endpoint sets of the snapshot is not answered at all. A name too many does no harm, and in the other mode each
# request is answered.
#
# Matters: a control plane of one's own that puts the endpoints of `canary` into the snapshot while no cluster of the proxy
# asks for them, before a release or after one, sends no endpoints any more: the proxy goes on with pods that are gone, and
# answers 503 once none is left. Call snapshot.Consistent() before SetSnapshot, which finds this.
#
# Seen, of a snapshot with primary and canary: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/envoyproxy/go-control-plane@v0.14.0 github.com/envoyproxy/go-control-plane/envoy@v1.40.0 <<'GO'
package main

import (
	"context"
	"fmt"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/stream/v3"
)

func main() {
	snapshot, err := cache.NewSnapshot("1", map[resource.Type][]types.Resource{
		resource.ClusterType: {&cluster.Cluster{
			Name:                 "primary",
			ClusterDiscoveryType: &cluster.Cluster_Type{Type: cluster.Cluster_EDS},
		}},
		resource.EndpointType: {
			&endpoint.ClusterLoadAssignment{ClusterName: "primary"},
			&endpoint.ClusterLoadAssignment{ClusterName: "canary"},
		},
	})
	if err != nil {
		panic(err)
	}
	for _, ads := range []bool{false, true} {
		for _, names := range [][]string{{"primary"}, {"primary", "canary"}, {"primary", "canary", "other"}} {
			snapshots := cache.NewSnapshotCache(ads, cache.IDHash{}, nil)
			if err := snapshots.SetSnapshot(context.Background(), "proxy", snapshot); err != nil {
				panic(err)
			}
			answers := make(chan cache.Response, 1)
			request := &discovery.DiscoveryRequest{Node: &core.Node{Id: "proxy"}, TypeUrl: resource.EndpointType, ResourceNames: names}
			if _, err := snapshots.CreateWatch(request, stream.NewSotwSubscription(names, true), answers); err != nil {
				panic(err)
			}
			select {
			case answer := <-answers:
				response, _ := answer.GetDiscoveryResponse()
				fmt.Println("ads:", ads, names, len(response.Resources))
			case <-time.After(time.Second):
				fmt.Println("ads:", ads, names, "no answer")
			}
		}
	}
	fmt.Println("consistent:", snapshot.Consistent() == nil)
}
GO
expect <<'END'
ads: false [primary] 1
ads: false [primary canary] 2
ads: false [primary canary other] 2
ads: true [primary] no answer
ads: true [primary canary] 2
ads: true [primary canary other] 2
consistent: false
END
