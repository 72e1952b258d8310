//! Kuma: the owner of a route without a namespace, and the kind of route that splits a mesh.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use serin::{
    api::Phase,
    router::Split,
    snapshot::{Kind, ObjectRef},
};
use serin_model::fixture;

use crate::{Play, lived};

const TRAFFIC_ROUTE: Kind =
    Kind { group: "kuma.io", version: "v1alpha1", kind: "TrafficRoute", plural: "trafficroutes" };

/// A TrafficRoute for this namespace's Service `podinfo`, with everything to the primary. `marked`: by a Canary there.
fn traffic_route(namespace: &str, marked: bool) -> Value {
    let tag = |name: &str| json!({"kuma.io/service": format!("{name}_{namespace}_svc_80")});
    let mut route = json!({
        "mesh": "default", "metadata": {"name": "podinfo"},
        "spec": {
            "sources": [{"match": {"kuma.io/service": "*"}}], "destinations": [{"match": tag("podinfo")}],
            "conf": {"split": [
                {"weight": 90, "destination": tag("podinfo-primary")},
                {"weight": 10, "destination": tag("podinfo-canary")},
            ]},
        },
    });
    if marked {
        route["metadata"]["labels"] = json!({"serin.dev/canary": "podinfo"});
        route["metadata"]["annotations"] = json!({"serin.dev/namespace": namespace});
    }
    route
}

/// The TrafficRoute by which a mesh runs on them.
pub(crate) fn for_all() -> (Kind, Value) {
    let all = json!([{"match": {"kuma.io/service": "*"}}]);
    let mesh = json!({"mesh": "default", "metadata": {"name": "route-all-default"}, "spec": {
        "sources": all, "destinations": all, "conf": {"destination": {"kuma.io/service": "*"}},
    }});
    (TRAFFIC_ROUTE, mesh)
}

/// A Canary in a mesh with TrafficRoutes.
fn by_traffic_routes() -> Result<Play> {
    let (kind, mesh) = for_all();
    let mut play = Play::new("kuma", &json!({}))?;
    play.sim.world.put(kind, mesh, play.sim.now);
    play.sim.look();
    Ok(play)
}

#[test]
fn a_route_of_no_namespace_stays_with_the_one_whose_it_is() -> Result<()> {
    for (marked, owned, words) in [
        (true, false, "is controlled by a Canary of namespace other"),
        (false, false, "it is for podinfo_other_svc_80"),
        // Flagger makes a Canary the owner of its routes, and that Canary has the same name in every namespace
        (false, true, "it is for podinfo_other_svc_80"),
    ] {
        let mut play = by_traffic_routes()?;
        let at = ObjectRef::new(TRAFFIC_ROUTE, "podinfo");
        let mut theirs = traffic_route("other", marked);
        if owned {
            theirs["metadata"]["ownerReferences"] = json!([{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "podinfo", "uid": "other", "controller": true}]);
        }
        play.sim.world.put(TRAFFIC_ROUTE, theirs, play.sim.now);
        let before = play.sim.world.objects.at(&at).cloned();
        play.sim.look();
        play.pass(40);
        ensure!(play.said(words) && !play.said("create"), "{}", play.sim.log.join("\n"));
        play.sim.world.delete_canary(play.sim.now);
        play.sim.look();
        play.pass(40);
        ensure!(play.sim.world.canary.is_none() && play.sim.world.objects.at(&at) == before.as_ref());
    }
    Ok(())
}

#[test]
fn a_route_of_no_namespace_that_becomes_anothers_in_a_run_is_let_alone() -> Result<()> {
    let mut play = by_traffic_routes()?;
    play.pass(40);
    fixture::set_image(&mut play.sim, "podinfo:2");
    play.pass(5);
    ensure!(play.split()? == Split::to_canary(20));
    let at = ObjectRef::new(TRAFFIC_ROUTE, "podinfo");
    play.sim.world.objects.remove(&at);
    play.sim.world.put(TRAFFIC_ROUTE, traffic_route("other", true), play.sim.now);
    let before = play.sim.world.objects.at(&at).cloned();
    play.sim.look();
    play.pass(60);
    ensure!(play.said("is controlled by a Canary of namespace other"));
    ensure!(play.sim.world.objects.at(&at) == before.as_ref());
    play.sim.world.objects.remove(&at);
    play.sim.look();
    play.pass(80);
    play.is(Phase::Succeeded)
}

#[test]
fn a_route_of_no_namespace_lives_on_wherever_the_operator_dies() -> Result<()> {
    for writes in [0, 1, 2] {
        let play = Play { dies: Some(writes), ..by_traffic_routes()? };
        lived(play, true, vec![]).with_context(|| format!("dying after {writes} writes"))?;
    }
    Ok(())
}

#[test]
fn the_traffic_route_that_flagger_made_is_taken_over_as_it_leads() -> Result<()> {
    let mut play = by_traffic_routes()?;
    let namespace = play.canary()?.metadata.namespace.context("no namespace")?;
    play.sim.world.put(TRAFFIC_ROUTE, traffic_route(&namespace, false), play.sim.now);
    play.sim.look();
    lived(play, true, vec![])
}

const MESH_HTTP_ROUTE: Kind =
    Kind { group: "kuma.io", version: "v1alpha1", kind: "MeshHTTPRoute", plural: "meshhttproutes" };

#[test]
fn t1_no_traffic_route_is_left_in_a_mesh_that_does_not_run_on_them() -> Result<()> {
    let at = ObjectRef::new(TRAFFIC_ROUTE, "podinfo");
    for marked in [false, true] {
        let mut play = Play::new("kuma", &json!({}))?;
        let namespace = play.canary()?.metadata.namespace.context("no namespace")?;
        play.sim.world.put(TRAFFIC_ROUTE, traffic_route(&namespace, marked), play.sim.now);
        play.sim.look();
        play.pass(8);
        ensure!(play.sim.world.objects.at(&at).is_some(), "users are led by it as yet");
        play.pass(40);
        play.is(Phase::Initialized)?;
        ensure!(play.sim.world.objects.at(&at).is_none() && play.said("LeftoverRemoved"));
        ensure!(play.sim.world.objects.of(MESH_HTTP_ROUTE).count() == 1);
        lived(play, true, vec![])?;
    }
    Ok(())
}

#[test]
fn t1_a_mesh_that_ceases_to_run_on_traffic_routes_gets_the_other_route_in_the_middle_of_a_run() -> Result<()>
{
    let mut play = by_traffic_routes()?;
    play.pass(40);
    fixture::set_image(&mut play.sim, "podinfo:2");
    play.pass(5);
    ensure!(play.split()? == Split::to_canary(20));
    play.sim.world.objects.remove(&ObjectRef::new(TRAFFIC_ROUTE, "route-all-default"));
    play.sim.look();
    play.pass(1);
    ensure!(
        play.sim.world.objects.get(MESH_HTTP_ROUTE, "podinfo").is_some()
            && play.split()? == Split::to_canary(20)
    );
    play.pass(6);
    ensure!(play.sim.world.objects.of(TRAFFIC_ROUTE).count() == 0, "{}", play.sim.log.join("\n"));
    play.pass(60);
    play.is(Phase::Succeeded)
}

#[test]
fn t1_a_traffic_route_of_another_namespace_keeps_nobody_from_a_route_of_their_own() -> Result<()> {
    let mut play = Play::new("kuma", &json!({}))?;
    let at = ObjectRef::new(TRAFFIC_ROUTE, "podinfo");
    play.sim.world.put(TRAFFIC_ROUTE, traffic_route("other", true), play.sim.now);
    let before = play.sim.world.objects.at(&at).cloned();
    play.sim.look();
    play.pass(40);
    play.is(Phase::Initialized)?;
    ensure!(play.said("kubectl delete trafficroute podinfo"), "{}", play.sim.log.join("\n"));
    ensure!(play.sim.world.objects.at(&at) == before.as_ref());
    Ok(())
}
