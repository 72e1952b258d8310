//! Objects that another version of the operator has written.

use std::time::Duration;

use serde_json::{Value, json};
use serin::{
    manifest::revision,
    snapshot::{DEPLOYMENT, ObjectRef},
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
fn a_primary_that_is_damaged_is_put_right() {
    let mut sim = rendered_otherwise();
    sim.advance(Duration::from_secs(60));
    assert_eq!(image(&sim), "podinfo:1");
}
