//! A route that was given back when its Canary was deleted, and that somebody then leads to the sides again: what it leads to
//! stays.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use serin::snapshot::{DEPLOYMENT, ObjectRef, SERVICE};

use crate::late_proxy::Life;

/// Leads the route to the sides as soon as it has been given back. `leads`: its spec by then, from the one before.
fn led_back(provider: &'static str, leads: impl Fn(&Value) -> Value) -> Result<()> {
    let mut life = Life::behind(provider)?;
    let route = life.route.clone();
    let play = &mut life.play;
    play.pass(80);
    let spec = |play: &crate::Play| play.sim.world.objects.at(&route).map(|route| route["spec"].clone());
    let during = spec(play).context("no route")?;
    play.sim.world.delete_canary(play.sim.now);
    play.sim.look();
    for _ in 0..60 {
        play.pass(1);
        if play.sim.world.status().step.is_some_and(|step| step.confirmed.is_some()) {
            break;
        }
    }
    ensure!(spec(play).is_some_and(|now| now != during), "it was never given back");
    play.sim.world.edit(&route, &json!({"spec": leads(&during)}));
    play.sim.look();
    play.pass(100);
    ensure!(play.sim.world.canary.is_none(), "{}", play.sim.log.join("\n"));
    let objects = &play.sim.world.objects;
    for left in [ObjectRef::new(SERVICE, "podinfo-primary"), ObjectRef::new(DEPLOYMENT, "podinfo-primary")] {
        ensure!(objects.at(&left).is_some(), "{left} is gone:\n{}", play.sim.log.join("\n"));
    }
    ensure!(play.said("say    Warning LeftRunning"), "{}", play.sim.log.join("\n"));
    Ok(())
}

#[test]
fn what_a_route_leads_to_again_is_left_running_however_it_names_it() -> Result<()> {
    let mut wrong = Vec::new();
    for provider in ["istio", "gatewayapi:v1", "contour", "traefik", "gloo", "kuma", "linkerd"] {
        let found = led_back(provider, Value::clone).with_context(|| provider.to_owned());
        wrong.extend(found.err().map(|why| format!("{why:?}")));
    }
    // the Upstream that Gloo itself makes of the primary's Service
    let discovered = |_: &Value| {
        let to = json!({"upstream": {"name": "test-podinfo-primary-80", "namespace": "gloo-system"}});
        json!({"routes": [{"routeAction": {"single": to}}]})
    };
    wrong.extend(led_back("gloo", discovered).err().map(|why| format!("a discovered Upstream: {why:?}")));
    // as Kuma names a Service in a mesh that has MeshServices of its own
    let by_name = |_: &Value| {
        let to = json!({"kind": "MeshService", "name": "podinfo-primary", "port": 80});
        let apex = json!({"kind": "MeshService", "name": "podinfo"});
        json!({"to": [{"targetRef": apex, "rules": [{"default": {"backendRefs": [to]}}]}]})
    };
    wrong.extend(led_back("kuma", by_name).err().map(|why| format!("a MeshService: {why:?}")));
    ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}
