//! Pods that become ready behind a proxy that may know the route to them before their endpoints: no request is lost.

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use serin::{
    api::Phase,
    snapshot::{DAEMONSET, DEPLOYMENT, ObjectRef},
};
use serin_model::pods::Mode;

use super::{Life, Play, Setting, fixture};

const GLOO: &str = "gloo";
const PRIMARY: &str = "podinfo-primary";

impl Life {
    /// Behind Gloo, with this in the target's spec.
    fn behind_gloo(spec: Value, target: &Value) -> Result<Self> {
        let mut life = Self::new(&Setting { spec, ..Setting::of(GLOO) })?;
        life.play.sim.world.edit(&ObjectRef::new(DEPLOYMENT, "podinfo"), &json!({"spec": target}));
        life.play.sim.look();
        life.pass(80, "being set up")?;
        life.play.is(Phase::Initialized)?;
        Ok(life)
    }

    fn pass_until(&mut self, done: impl Fn(&Play) -> bool, what: &str) -> Result<()> {
        for _ in 0..200 {
            if done(&self.play) {
                return Ok(());
            }
            self.pass(1, what)?;
        }
        bail!("{what} does not end:\n{}", self.play.sim.log.join("\n"))
    }
}

fn at_once() -> Value {
    json!({"strategy": {"type": "Recreate", "rollingUpdate": null}})
}

#[test]
fn a_promotion_that_replaces_all_pods_leads_users_back_when_their_endpoints_are_known() -> Result<()> {
    Life::behind_gloo(json!({}), &at_once())?.released("podinfo:2")
}

#[test]
fn a_promotion_that_is_undone_leads_users_back_when_the_endpoints_are_known() -> Result<()> {
    let mut life = Life::behind_gloo(json!({"progressDeadlineSeconds": 30}), &at_once())?;
    fixture::set_image(&mut life.play.sim, "podinfo:2");
    life.pass_until(|play| play.is(Phase::Promoting).is_ok(), "in a run")?;
    life.play.sim.pods.modes.insert(PRIMARY.into(), Mode::Never);
    life.pass_until(|play| play.said("PromotionFailed"), "not becoming ready")?;
    life.play.sim.pods.modes.clear();
    life.pass(60, "going back")?;
    life.play.is(Phase::Failed)
}

#[test]
fn users_who_were_rescued_return_when_the_endpoints_of_the_primary_are_known() -> Result<()> {
    let mut life = Life::behind_gloo(json!({}), &json!({}))?;
    fixture::set_image(&mut life.play.sim, "podinfo:2");
    life.pass(14, "in a run")?;
    life.play.is(Phase::Progressing)?;
    life.play.sim.pods.modes.insert(PRIMARY.into(), Mode::Vanish);
    life.play.pass(10);
    ensure!(life.play.split()?.canary() == 100, "{}", life.play.sim.log.join("\n"));
    // those that were on the way to the primary
    life.play.sim.log.clear();
    life.play.sim.pods.modes.clear();
    life.pass(120, "with a primary that is back")?;
    life.play.is(Phase::Succeeded)
}

#[test]
fn a_daemon_set_gets_requests_when_its_endpoints_are_known() -> Result<()> {
    let mut daemons = fixture::target("podinfo:1");
    if let Some(spec) = daemons["spec"].as_object_mut() {
        spec.remove("replicas");
    }
    let target = json!({"kind": DAEMONSET.kind, "apiVersion": DAEMONSET.api_version(), "name": "podinfo"});
    let spec = json!({"targetRef": target});
    let mut life = Life::new(&Setting { spec, beside: vec![(DAEMONSET, daemons)], ..Setting::of(GLOO) })?;
    life.play.sim.world.objects.remove(&ObjectRef::new(DEPLOYMENT, "podinfo"));
    life.play.sim.look();
    life.pass(80, "being set up")?;
    life.play.is(Phase::Initialized)?;
    life.released("podinfo:2")
}
