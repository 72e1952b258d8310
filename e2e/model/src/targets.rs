//! Targets other than Deployments on a model: a whole life of each, and the same with a crash of the operator or a
//! concurrent edit at each write. The invariants are checked throughout.

use std::time::Duration;

use crate::{
    fixture, route,
    sim::{Sim, Trouble},
    time,
    world::World,
};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use serin::{
    analysis::Reading,
    api::Phase,
    snapshot::{DAEMONSET, DEPLOYMENT, KNATIVE_SERVICE, ObjectRef, REVISION, SERVICE},
    spec::Target,
};

/// The number of writes of a plan after which the operator dies.
const DEATHS: [usize; 4] = [0, 1, 2, 5];

fn world(kind: Target) -> World {
    let mut world = World::default();
    let mut target =
        json!({"targetRef": {"kind": kind.kind().kind, "apiVersion": kind.kind().api_version()}});
    if kind == Target::DaemonSet {
        let mut daemons = fixture::target("podinfo:1");
        daemons["spec"].as_object_mut().map(|spec| spec.remove("replicas"));
        world.put(DAEMONSET, daemons, time::start());
    } else if kind == Target::Knative {
        let spec = json!({"template": {"spec": {"containers": [{"image": "podinfo:1"}]}}});
        world.put(KNATIVE_SERVICE, json!({"metadata": {"name": "podinfo"}, "spec": spec}), time::start());
        target["provider"] = json!("knative");
        target["service"] = Value::Null;
    } else {
        for version in ["1", "2", "3"] {
            let mut pods = fixture::target(&format!("podinfo:{version}"));
            pods["metadata"]["name"] = json!(format!("v{version}"));
            pods["spec"]["template"]["metadata"]["labels"] = json!({"app": "podinfo", "version": version});
            world.put(DEPLOYMENT, pods, time::start());
        }
        let spec = json!({
            "type": "ClusterIP", "selector": {"app": "podinfo", "version": "1"},
            "ports": [{"name": "http", "port": 80, "targetPort": 9898}],
        });
        let service = json!({"metadata": {"name": "podinfo"}, "spec": spec});
        world.put(SERVICE, service, time::start());
    }
    world.put_canary(fixture::canary(&target), time::start());
    world
}

fn release(sim: &mut Sim, kind: Target, version: &str) {
    if kind == Target::DaemonSet {
        fixture::set_image(sim, &format!("podinfo:{version}"));
    } else if kind == Target::Knative {
        let at = ObjectRef::new(KNATIVE_SERVICE, "podinfo");
        let containers = json!([{"image": format!("podinfo:{version}")}]);
        sim.world.edit(&at, &json!({"spec": {"template": {"spec": {"containers": containers}}}}));
        sim.look();
    } else {
        let at = ObjectRef::new(SERVICE, "podinfo");
        sim.world.edit(&at, &json!({"spec": {"selector": {"version": version}}}));
        sim.look();
    }
}

/// What users of a side get: the image of the primary, the destination of its copy, or the revision besides the newest.
fn primary(sim: &Sim) -> Value {
    if let Some(live) = sim.world.objects.get(KNATIVE_SERVICE, "podinfo") {
        return live["spec"]["traffic"][1]["revisionName"].clone();
    }
    let daemons = sim.world.workload("podinfo-primary");
    let copy = || sim.world.objects.get(SERVICE, "podinfo-primary");
    daemons.map_or_else(
        || copy().map(|s| s["spec"]["selector"]["version"].clone()).unwrap_or_default(),
        |d| d["spec"]["template"]["spec"]["containers"][0]["image"].clone(),
    )
}

/// Initialised, promoted, rolled back, deleted. Returns what users had at each point, and what is left.
fn life(kind: Target, trouble: Option<(usize, Trouble)>) -> Result<(usize, Vec<Value>, Vec<String>)> {
    let mut sim = Sim::new(world(kind), "podinfo");
    sim.trouble_at = trouble;
    let mut had = Vec::new();
    let wait = Duration::from_secs(75);
    sim.advance(Duration::from_secs(15));
    had.push(primary(&sim));
    release(&mut sim, kind, "2");
    sim.advance(wait);
    had.push(primary(&sim));
    release(&mut sim, kind, "3");
    sim.readings.insert("request-success-rate".into(), Reading::Values(vec![50.0]));
    sim.advance(wait);
    had.push(primary(&sim));
    sim.world.delete_canary(sim.now);
    sim.advance(wait);
    if let Err(wrong) = sim.verdict() {
        anyhow::bail!("{kind:?}, {trouble:?}: {wrong}");
    }
    ensure!(sim.world.canary.is_none(), "{kind:?}, {trouble:?}: the Canary is left\n{}", sim.log.join("\n"));
    let lost = route::to_nobody(&sim.world, &sim.pods, sim.names());
    ensure!(lost == 0, "{kind:?}, {trouble:?}: {lost} % go to nobody in the end");
    let all = [DEPLOYMENT, DAEMONSET, SERVICE, KNATIVE_SERVICE].into_iter();
    let left = all.flat_map(|kind| sim.world.objects.of(kind)).map(|o| {
        let (meta, spec) = (&o["metadata"], &o["spec"]);
        let marks = &meta["annotations"];
        let selector = &spec["template"]["spec"]["nodeSelector"];
        format!("{} {} {selector} {} {marks}", o["kind"], meta["name"], spec["traffic"])
    });
    Ok((sim.plans, had, left.collect()))
}

/// A crash after any write does not change the result of a life in which the primary has these two versions in turn.
fn the_same_whenever_it_dies(kind: Target, [first, second]: [&str; 2]) -> Result<()> {
    let (plans, undisturbed, left) = life(kind, None)?;
    ensure!(undisturbed == [first, second, second], "{kind:?}: {undisturbed:?}");
    for plan in 0..plans {
        let deaths = DEATHS.into_iter().map(Trouble::CrashAfter);
        for trouble in deaths.chain([Trouble::Conflict]) {
            let (_, had, remains) = life(kind, Some((plan, trouble)))?;
            ensure!(had == undisturbed, "{kind:?}, plan {plan}, {trouble:?}: {had:?}");
            ensure!(remains == left, "{kind:?}, plan {plan}, {trouble:?}: {remains:?}");
        }
    }
    Ok(())
}

#[test]
fn a_daemonset_lives_the_same_whenever_the_operator_dies() -> Result<()> {
    the_same_whenever_it_dies(Target::DaemonSet, ["podinfo:1", "podinfo:2"])
}

#[test]
fn a_service_lives_the_same_whenever_the_operator_dies() -> Result<()> {
    the_same_whenever_it_dies(Target::Service, ["1", "2"])
}

#[test]
fn a_knative_service_lives_the_same_whenever_the_operator_dies() -> Result<()> {
    the_same_whenever_it_dies(Target::Knative, ["podinfo-00001", "podinfo-00002"])
}

#[test]
fn at_rest_nothing_is_written_or_asked() -> Result<()> {
    for kind in [Target::DaemonSet, Target::Service, Target::Knative] {
        let mut sim = Sim::new(world(kind), "podinfo");
        sim.advance(Duration::from_secs(60));
        release(&mut sim, kind, "2");
        sim.advance(Duration::from_secs(300));
        let before = (sim.plans, sim.asked, sim.log.len());
        sim.advance(Duration::from_secs(86_400));
        ensure!(before == (sim.plans, sim.asked, sim.log.len()), "{kind:?}: {}", sim.log.join("\n"));
    }
    Ok(())
}

#[test]
fn c12_what_a_former_canary_left_keeps_what_it_runs_whatever_its_kind() -> Result<()> {
    for kind in [Target::DaemonSet, Target::Service, Target::Knative] {
        let mut sim = Sim::new(world(kind), "podinfo");
        sim.advance(Duration::from_secs(15));
        let served = primary(&sim);
        release(&mut sim, kind, "2");
        sim.readings.insert("request-success-rate".into(), Reading::Values(vec![50.0]));
        sim.advance(Duration::from_secs(75));
        ensure!(sim.world.status().phase == Some(Phase::Failed), "{kind:?}\n{}", sim.log.join("\n"));
        // deleted without its finalizer: garbage collection deletes the owned objects
        let owned = |o: &Value| Some(ObjectRef::new(REVISION, o["metadata"]["name"].as_str()?));
        let owned: Vec<_> = sim.world.objects.of(REVISION).filter_map(owned).collect();
        for at in owned {
            sim.world.objects.remove(&at);
        }
        let spec = sim.world.canary.take().map(|canary| canary["spec"].clone()).unwrap_or_default();
        let now = sim.now;
        sim.world.put_canary(json!({"metadata": {"name": "podinfo"}, "spec": spec}), now);
        sim.observer.canary_was_made_again();
        sim.readings.clear();
        sim.look();
        let mut ran = false;
        for _ in 0..150 {
            sim.advance(Duration::from_secs(1));
            let phase = sim.world.status().phase;
            ran |= phase == Some(Phase::Progressing);
            let kept = primary(&sim) == served || phase >= Some(Phase::Promoting);
            ensure!(kept, "{kind:?}: {} in {phase:?}\n{}", primary(&sim), sim.log.join("\n"));
        }
        ensure!(ran && primary(&sim) != served, "{kind:?}: it is analysed\n{}", sim.log.join("\n"));
        sim.verdict().map_err(|wrong| anyhow::anyhow!("{kind:?}: {wrong}"))?;
    }
    Ok(())
}

#[test]
fn c12_templates_of_a_former_canary_are_not_relied_on() -> Result<()> {
    for failed in [true, false] {
        let mut sim = Sim::new(world(Target::DaemonSet), "podinfo");
        sim.advance(Duration::from_secs(15));
        if failed {
            release(&mut sim, Target::DaemonSet, "2");
            sim.readings.insert("request-success-rate".into(), Reading::Values(vec![50.0]));
            sim.advance(Duration::from_secs(75));
            ensure!(sim.world.status().phase == Some(Phase::Failed), "{}", sim.log.join("\n"));
        }
        // deleted without its finalizer, and made again before garbage collection comes to what it owned
        let former = uids(&sim);
        let spec = sim.world.canary.take().map(|canary| canary["spec"].clone()).unwrap_or_default();
        let now = sim.now;
        sim.world.put_canary(json!({"metadata": {"name": "podinfo"}, "spec": spec}), now);
        sim.observer.canary_was_made_again();
        sim.readings.clear();
        sim.look();
        let served = primary(&sim);
        sim.advance(Duration::from_secs(12));
        for (at, _) in uids(&sim).into_iter().filter(|of| former.contains(of)) {
            sim.world.objects.remove(&at);
        }
        sim.advance(Duration::from_secs(1));
        let promoted = sim.world.status().last_promoted_spec;
        let stored =
            sim.world.objects.of(REVISION).any(|o| o["data"]["hash"].as_str() == promoted.as_deref());
        ensure!(stored && promoted.is_some(), "failed: {failed}\n{}", sim.log.join("\n"));
        ensure!(primary(&sim) == served, "failed: {failed}\n{}", sim.log.join("\n"));
        sim.verdict().map_err(|wrong| anyhow::anyhow!("failed: {failed}: {wrong}"))?;
    }
    Ok(())
}

#[test]
fn a_primary_whose_stored_template_is_lost_is_stored_as_it_runs() -> Result<()> {
    let mut sim = Sim::new(world(Target::DaemonSet), "podinfo");
    sim.advance(Duration::from_secs(15));
    release(&mut sim, Target::DaemonSet, "2");
    sim.readings.insert("request-success-rate".into(), Reading::Values(vec![50.0]));
    sim.advance(Duration::from_secs(75));
    let (served, epoch) = (primary(&sim), sim.world.status().epoch);
    for (at, _) in uids(&sim) {
        sim.world.objects.remove(&at);
    }
    sim.look();
    sim.advance(Duration::from_secs(60));
    let (status, stored) = (sim.world.status(), uids(&sim).len());
    let unchanged = (status.phase, status.epoch) == (Some(Phase::Failed), epoch) && primary(&sim) == served;
    ensure!(unchanged && stored == 1, "no run begins\n{}", sim.log.join("\n"));
    let by_hand = json!([{"name": "podinfod", "image": "by-hand:1"}]);
    let template = json!({"spec": {"template": {"spec": {"containers": by_hand}}}});
    sim.world.edit(&ObjectRef::new(DAEMONSET, "podinfo-primary"), &template);
    sim.look();
    sim.advance(Duration::from_secs(60));
    ensure!(primary(&sim) == served, "it is restored\n{}", sim.log.join("\n"));
    sim.verdict().map_err(|wrong| anyhow::anyhow!("{wrong}"))
}

/// The stored templates, by name and uid.
fn uids(sim: &Sim) -> Vec<(ObjectRef, Value)> {
    let all = sim.world.objects.of(REVISION).map(|o| &o["metadata"]);
    all.filter_map(|meta| Some((ObjectRef::new(REVISION, meta["name"].as_str()?), meta["uid"].clone())))
        .collect()
}
