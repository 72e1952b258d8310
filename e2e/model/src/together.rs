//! Several Canaries in one namespace: each has its own model, and all share the objects, the pods and the clock.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use serin::{names, observe::rivals, plan::Wake, snapshot::Objects};
use serin_invariants::view::Names;

use crate::{
    sim::{MOST_PLANS, Sim},
    time::later,
    world::{NAMESPACE, World},
};

/// Several Canaries with their models.
#[derive(Clone, Debug)]
pub struct Together {
    sims: Vec<Sim>,
    /// The model that has seen the last change.
    latest: usize,
    /// Violations between them.
    violations: Vec<String>,
}

impl Together {
    /// These Canaries in this namespace, each a second younger than the one before.
    pub fn new(mut world: World, canaries: &[Value], begin: Timestamp) -> Self {
        let mut sims: Vec<Sim> = Vec::new();
        for (canary, seconds) in canaries.iter().zip(0..) {
            world.put_canary(canary.clone(), later(begin, Duration::from_secs(seconds)));
            sims.push(Sim::of(world.clone(), Names::of(canary)));
        }
        let latest = sims.len().saturating_sub(1);
        Self { sims, latest, violations: vec![] }
    }

    /// The number of Canaries.
    pub fn len(&self) -> usize {
        self.sims.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.sims.is_empty()
    }

    /// The up-to-date model of one of them.
    pub fn sim(&mut self, which: usize) -> &mut Sim {
        self.bring(which);
        &mut self.sims[which]
    }

    /// Something happened to one of them. All others see it.
    pub fn note(&mut self, what: &str) {
        for sim in &mut self.sims {
            sim.log.push(what.to_owned());
        }
        self.sims[self.latest].look();
    }

    /// Ends all disturbances.
    pub fn all_is_well(&mut self) {
        for which in 0..self.sims.len() {
            let sim = self.sim(which);
            sim.pods.modes.clear();
            sim.readings.clear();
            sim.others.refuses.clear();
            sim.trouble = None;
            sim.world.edit_canary(&json!({"spec": {"suspend": null}}));
        }
        self.note("> all is well");
    }

    /// Updates this model with the changes of the others.
    fn bring(&mut self, which: usize) {
        if which != self.latest {
            if let Ok([latest, sim]) = self.sims.get_disjoint_mut([self.latest, which]) {
                sim.world.follow(&latest.world);
                sim.pods = latest.pods.clone();
                sim.now = latest.now;
                sim.look();
            }
            self.latest = which;
        }
        let others: Vec<&Value> = self
            .sims
            .iter()
            .enumerate()
            .filter(|(n, _)| *n != which)
            .filter_map(|(_, s)| s.world.canary.as_ref())
            .collect();
        let world = &self.sims[which].world;
        let found =
            world.canary.as_ref().map(|own| rivals(own, &others, NAMESPACE, &world.rules.mesh_provider));
        self.sims[which].world.rivals = found.unwrap_or_default();
    }

    /// One pass for one of them. Returns false if nothing was left to do.
    fn turn(&mut self, which: usize) -> bool {
        self.bring(which);
        let before = self.sims[which].world.objects.clone();
        let wrote = self.sims[which].step();
        self.owned(which, &before);
        self.sims[which].controllers() || wrote
    }

    /// No Canary writes another Canary's objects while the other one exists.
    fn owned(&mut self, which: usize, before: &Objects) {
        let sim = &self.sims[which];
        for (n, other) in self.sims.iter().enumerate().filter(|(n, _)| *n != which) {
            let Some(canary) = &other.world.canary else { continue };
            let label = names::label_value(canary["metadata"]["name"].as_str().unwrap_or_default());
            for (at, was) in before.iter() {
                if was["metadata"]["labels"][names::LABEL_CANARY] != label.as_str() {
                    continue;
                }
                let is = sim.world.objects.at(at);
                // most objects are shared with the earlier copy
                if is.is_some_and(|is| std::ptr::eq(is, was)) {
                    continue;
                }
                if is.map(content) != Some(content(was)) {
                    self.violations.push(format!(
                        "S17: Canary {which} changes {at} of Canary {n}\n{}",
                        sim.log.join("\n")
                    ));
                }
            }
        }
    }

    /// Repeats plans of all of them until nothing is left to do at this time.
    pub fn settle(&mut self) {
        for _ in 0..MOST_PLANS {
            let mut changed = false;
            for which in 0..self.sims.len() {
                changed |= self.turn(which);
            }
            if !changed {
                for which in 0..self.sims.len() {
                    self.sim(which).rests();
                }
                return;
            }
        }
        self.violations.push(format!("property 1: not settled after {MOST_PLANS} rounds"));
    }

    /// Lets time pass, and runs a planner at each requested wake-up.
    pub fn advance(&mut self, time: Duration) {
        let now = self.sims[self.latest].now;
        let end = later(now, time);
        self.settle();
        for _ in 0..4000 {
            let wakes = self.sims.iter().filter_map(|sim| match sim.wake() {
                Wake::At(at) => Some(at),
                _ => None,
            });
            let Some(at) = wakes.min().filter(|at| *at < end) else { break };
            let now = self.sims[self.latest].now;
            // a wake-up in the past does not request a new one
            self.set(if at > now { at } else { later(now, Duration::from_secs(1)) });
            self.settle();
        }
        self.set(end.max(self.sims[self.latest].now));
        self.settle();
    }

    fn set(&mut self, now: Timestamp) {
        for sim in &mut self.sims {
            sim.now = now;
        }
    }

    /// All violations, with the events so far.
    pub fn verdict(&self) -> Result<(), String> {
        let mut all = self.violations.clone();
        for (which, sim) in self.sims.iter().enumerate() {
            all.extend(sim.verdict().err().map(|wrong| format!("Canary {which}: {wrong}")));
        }
        if all.is_empty() { Ok(()) } else { Err(all.join("\n\n")) }
    }
}

/// The parts of an object that its owner writes. Controllers write the rest.
fn content(object: &Value) -> Value {
    let mut object = object.clone();
    for field in ["resourceVersion", "generation"] {
        object["metadata"][field] = Value::Null;
    }
    object["status"] = Value::Null;
    object
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, Result, ensure};
    use serin::snapshot::{DEPLOYMENT, INGRESS, ObjectRef, SERVICE};

    use super::*;
    use crate::{fixture, time::start};

    /// Canaries for targets with these names, each merged with this spec.
    fn namespace(all: &[(&str, Value)], objects: &[(serin::snapshot::Kind, Value)]) -> Together {
        let mut world = World::default();
        for (name, _) in all {
            world.put(DEPLOYMENT, fixture::target_named(name, "podinfo:1"), start());
        }
        for (kind, object) in objects {
            world.put(*kind, object.clone(), start());
        }
        let canaries: Vec<Value> = all.iter().map(|(name, spec)| fixture::canary_named(name, spec)).collect();
        let mut all = Together::new(world, &canaries, start());
        all.advance(Duration::from_secs(30));
        all
    }

    fn reason(sim: &Sim) -> String {
        let accepted = sim.world.status().conditions.into_iter().find(|c| c.type_ == "Accepted");
        accepted.map(|c| c.reason).unwrap_or_default()
    }

    /// Number of writes so far, of all of them.
    fn plans(all: &mut Together) -> usize {
        (0..all.len()).map(|n| all.sim(n).plans).sum()
    }

    #[test]
    fn two_canaries_side_by_side_release_as_one_would() -> Result<()> {
        let mut all = namespace(&[("podinfo", json!({})), ("web", json!({}))], &[]);
        for n in 0..2 {
            fixture::set_image(all.sim(n), "podinfo:2");
        }
        all.advance(Duration::from_secs(120));
        for n in 0..2 {
            let phase = all.sim(n).world.status().phase.context("a phase")?;
            ensure!(phase == serin::api::Phase::Succeeded, "{n}: {phase:?}\n{}", all.sim(n).log.join("\n"));
        }
        all.verdict().map_err(anyhow::Error::msg)
    }

    #[test]
    fn c4_derived_names_that_meet_are_refused_and_nothing_is_fought_over() -> Result<()> {
        let meet = [
            [("podinfo", json!({})), ("podinfo-canary", json!({}))],
            [("podinfo", json!({})), ("podinfo-primary", json!({}))],
            [("podinfo", json!({})), ("web", json!({"service": {"name": "podinfo"}}))],
            [("podinfo", json!({})), ("web", json!({"service": {"name": "podinfo-canary"}}))],
            [("podinfo-canary", json!({})), ("podinfo", json!({}))],
        ];
        for two in meet {
            let mut all = namespace(&two, &[]);
            let (older, younger) = (reason(all.sim(0)), reason(all.sim(1)));
            all.verdict().map_err(|wrong| anyhow::anyhow!("{two:?}: {wrong}"))?;
            ensure!(younger != "Accepted", "{two:?}: {older}, {younger}");
            let before = plans(&mut all);
            all.advance(Duration::from_secs(3600));
            ensure!(plans(&mut all) == before, "{two:?}: written at rest");
            // the older one conflicts with existing objects, if the younger one's target has that name
            if older == "Accepted" {
                fixture::set_image(all.sim(0), "podinfo:2");
                all.advance(Duration::from_secs(120));
                ensure!(all.sim(0).world.status().phase == Some(serin::api::Phase::Succeeded), "{two:?}");
            }
            all.verdict().map_err(|wrong| anyhow::anyhow!("{two:?}: {wrong}"))?;
        }
        Ok(())
    }

    #[test]
    fn r2_one_ingress_of_two_canaries_is_copied_for_one() -> Result<()> {
        let spec = json!({"provider": "nginx", "ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "public"}});
        let path = |at: &str, name: &str| json!({"path": at, "pathType": "Prefix", "backend": {"service": {"name": name, "port": {"number": 80}}}});
        let rules = json!([{"host": "h", "http": {"paths": [path("/", "podinfo"), path("/api", "web")]}}]);
        let ingress = json!({"metadata": {"name": "public"}, "spec": {"rules": rules}});
        let mut all = namespace(&[("podinfo", spec.clone()), ("web", spec)], &[(INGRESS, ingress)]);
        ensure!(reason(all.sim(1)) == "ForeignObject", "{}", reason(all.sim(1)));
        let before = plans(&mut all);
        all.advance(Duration::from_secs(3600));
        ensure!(plans(&mut all) == before, "written at rest: {}", all.sim(0).log.join("\n"));
        Ok(())
    }

    #[test]
    fn a_refused_canary_goes_on_once_the_service_of_the_other_leads_to_its_target() -> Result<()> {
        let mut all =
            namespace(&[("podinfo", json!({})), ("web", json!({"service": {"name": "podinfo"}}))], &[]);
        let now = all.sim(0).now;
        all.sim(0).world.delete_canary(now);
        all.advance(Duration::from_secs(120));
        ensure!(all.sim(0).world.canary.is_none(), "{}", all.sim(0).log.join("\n"));
        // the Service was given back, and its users are those of the other application
        ensure!(reason(all.sim(1)) == "TakeoverUnsafe", "{}", reason(all.sim(1)));
        let before = plans(&mut all);
        all.advance(Duration::from_secs(3600));
        ensure!(plans(&mut all) == before, "written at rest: {}", all.sim(1).log.join("\n"));
        let served = all.sim(1).world.objects.get(SERVICE, "podinfo").context("the apex")?;
        ensure!(served["spec"]["selector"] == json!({"app": "podinfo"}), "{served}");

        let apex = ObjectRef::new(SERVICE, "podinfo");
        all.sim(1).world.edit(&apex, &json!({"spec": {"selector": {"app": "web"}}}));
        all.note("> the Service leads to web");
        all.advance(Duration::from_secs(120));
        let phase = all.sim(1).world.status().phase;
        ensure!(phase == Some(serin::api::Phase::Initialized), "{phase:?}\n{}", all.sim(1).log.join("\n"));
        let served = all.sim(1).world.objects.get(SERVICE, "podinfo").context("the apex")?;
        ensure!(served["spec"]["selector"]["app"] == "web-primary", "{served}");
        Ok(())
    }
}
