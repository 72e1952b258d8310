#!/usr/bin/env bash
# github.com/envoyproxy/go-control-plane 0.14.0 (Go), the delta protocol on one stream (ADS).
#
# Guess: when a route moves from one cluster to another, the proxy is told to remove the former one after it got the route
# that no longer needs it, as Envoy's own page on updates without loss asks for.
#
# Really: the first response adds the new cluster and removes the former one. The route comes afterwards, and no
# acknowledgement is waited for.
#
# Matters: for that moment Envoy has a route to a cluster that is gone, and answers 503 without a body. A control plane that
# names clusters after something that changes (the number of a rule, a port, a hash of the destination) loses some requests
# with each such change. Keep the former cluster in the snapshot until the proxy has acknowledged the route, or keep the
# names: a rule without requests costs nothing.
#
# Seen: see `expect` below.
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
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/stream/v3"
)

func snapshot(version, name string) *cache.Snapshot {
	to := &route.RouteAction{ClusterSpecifier: &route.RouteAction_Cluster{Cluster: name}}
	all := &route.RouteMatch{PathSpecifier: &route.RouteMatch_Prefix{Prefix: "/"}}
	rule := &route.Route{Match: all, Action: &route.Route_Route{Route: to}}
	host := &route.VirtualHost{Name: "app", Domains: []string{"*"}, Routes: []*route.Route{rule}}
	made, err := cache.NewSnapshot(version, map[resource.Type][]types.Resource{
		resource.ClusterType: {&cluster.Cluster{Name: name}},
		resource.RouteType:   {&route.RouteConfiguration{Name: "app", VirtualHosts: []*route.VirtualHost{host}}},
	})
	if err != nil {
		panic(err)
	}
	return made
}

func main() {
	snapshots := cache.NewSnapshotCache(true, cache.IDHash{}, nil)
	set := func(s *cache.Snapshot) {
		if err := snapshots.SetSnapshot(context.Background(), "proxy", s); err != nil {
			panic(err)
		}
	}
	set(snapshot("1", "rule/0"))
	answers := make(chan cache.DeltaResponse, 9)
	known := map[string]map[string]string{resource.ClusterType: {}, resource.RouteType: {}}
	watch := func(kind, nonce string) {
		request := &discovery.DeltaDiscoveryRequest{Node: &core.Node{Id: "proxy"}, TypeUrl: kind, ResponseNonce: nonce}
		subscription := stream.NewDeltaSubscription([]string{"*"}, nil, known[kind], false)
		if _, err := snapshots.CreateDeltaWatch(request, subscription, answers); err != nil {
			panic(err)
		}
	}
	watch(resource.ClusterType, "")
	watch(resource.RouteType, "")
	read := func(what string) {
		for range 2 {
			select {
			case answer := <-answers:
				response, err := answer.GetDeltaDiscoveryResponse()
				if err != nil {
					panic(err)
				}
				var added []string
				for _, one := range response.Resources {
					added = append(added, one.Name)
				}
				known[response.TypeUrl] = answer.GetNextVersionMap()
				kind := map[string]string{resource.ClusterType: "clusters", resource.RouteType: "routes"}[response.TypeUrl]
				fmt.Println(what, kind, "added", added, "removed", response.RemovedResources)
			case <-time.After(time.Second):
				fmt.Println(what, "no answer")
			}
		}
	}
	read("first:")
	watch(resource.RouteType, "2")
	watch(resource.ClusterType, "1")
	set(snapshot("2", "rule/1"))
	read("then:")
}
GO
expect <<'END'
first: clusters added [rule/0] removed []
first: routes added [app] removed []
then: clusters added [rule/1] removed [rule/0]
then: routes added [app] removed []
END
