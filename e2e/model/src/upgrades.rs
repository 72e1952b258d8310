//! Objects that another version of the operator has written.

use std::time::Duration;

use serde_json::{Value, json};
use serin::{
    manifest::revision,
    snapshot::{DEPLOYMENT, ObjectRef, REVISION},
};

use crate::{fixture, sim::Sim};

const PRIMARY: &str = "podinfo-primary";

/// An idle primary whose pods another version rendered differently.
fn rendered_otherwise() -> Sim {
    let mut sim = fixture::initialised(&json!({}));
    edit(&mut sim, "registry/podinfo:1");
    sim
}

fn edit(sim: &mut Sim, image: &str) {
    let live = sim.world.objects.get(DEPLOYMENT, PRIMARY).cloned().unwrap_or_default();
    let mut containers = live["spec"]["template"]["spec"]["containers"].clone();
    containers[0]["image"] = json!(image);
    let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    assert!(sim.world.edit(&ObjectRef::new(DEPLOYMENT, PRIMARY), &patch));
}

fn template(sim: &Sim) -> Value {
    sim.world.objects.get(DEPLOYMENT, PRIMARY).map(|p| p["spec"]["template"].clone()).unwrap_or_default()
}

fn image(sim: &Sim) -> String {
    template(sim)["spec"]["containers"][0]["image"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn c42_a_primary_that_another_version_rendered_is_not_restarted() {
    for known in [true, false] {
        let mut sim = rendered_otherwise();
        let was = template(&sim);
        let noted = if known { json!(revision::hash(&was)) } else { Value::Null };
        sim.world.edit_canary(&json!({"status": {"primaryTemplate": noted}}));
        sim.advance(Duration::from_secs(60));
        assert_eq!(template(&sim), was, "known: {known}");
        assert_eq!(sim.world.status().primary_template, Some(revision::hash(&was)));
        // later damage is still repaired
        edit(&mut sim, "by-hand:1");
        sim.advance(Duration::from_secs(60));
        assert_eq!(image(&sim), "podinfo:1");
        fixture::set_image(&mut sim, "podinfo:2");
        sim.advance(Duration::from_secs(300));
        assert_eq!(image(&sim), "podinfo:2");
        sim.verdict().unwrap_or_else(|wrong| panic!("{wrong}"));
    }
}

#[test]
fn c42_a_primary_that_an_earlier_version_placed_and_gave_originals_is_not_restarted() {
    let mut world = fixture::world(&json!({}));
    let term = json!({"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "podinfo"}}});
    let parts = json!({
        "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}},
        "volumes": [{"name": "s", "secret": {"secretName": "sec", "optional": true}}],
    });
    let pods = json!({"spec": {"template": {"spec": parts}}});
    world.edit(&ObjectRef::new(DEPLOYMENT, "podinfo"), &pods);
    let mut sim = Sim::new(world, "podinfo");
    sim.advance(Duration::from_secs(30));
    let own = |sim: &Sim| {
        let pod = &template(sim)["spec"];
        let terms = &pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
        let secret = pod["volumes"][0]["secret"]["secretName"] != "sec";
        (terms[0]["labelSelector"]["matchLabels"]["app"] == PRIMARY, secret)
    };
    assert_eq!(own(&sim), (true, true));
    sim.world.edit(&ObjectRef::new(DEPLOYMENT, PRIMARY), &pods);
    let stored = sim.world.objects.of(REVISION).filter_map(|o| o["metadata"]["name"].as_str());
    for at in stored.map(|name| ObjectRef::new(REVISION, name)).collect::<Vec<_>>() {
        sim.world.edit(&at, &json!({"data": {"absent": null}}));
    }
    let was = template(&sim);
    sim.world.edit_canary(&json!({"status": {"primaryTemplate": revision::hash(&was)}}));
    let epoch = sim.world.status().epoch;
    sim.advance(Duration::from_secs(120));
    assert_eq!((template(&sim), sim.world.status().epoch), (was, epoch), "no restart, and no run");
    fixture::set_image(&mut sim, "podinfo:2");
    sim.advance(Duration::from_secs(300));
    assert_eq!((image(&sim), own(&sim)), ("podinfo:2".to_owned(), (true, true)));
    sim.verdict().unwrap_or_else(|wrong| panic!("{wrong}"));
}

#[test]
fn a_primary_that_is_damaged_is_put_right() {
    let mut sim = rendered_otherwise();
    sim.advance(Duration::from_secs(60));
    assert_eq!(image(&sim), "podinfo:1");
}
