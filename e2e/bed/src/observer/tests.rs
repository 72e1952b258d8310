//! Constructed histories: a complete one without violations, and for each invariant one that breaks it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use serin::manifest::revision;

use super::{Change, Checker, Kind};

const NS: &str = "test";

/// A history: each call adds one revision, a second after the last.
struct History {
    checker: Checker,
    version: u64,
    millis: i64,
    objects: BTreeMap<(Kind, String), Value>,
}

fn template(image: &str, app: &str) -> Value {
    json!({"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "app", "image": image}]}})
}

fn deployment(image: &str, app: &str, replicas: i64) -> Value {
    json!({
        "metadata": {"labels": {"app": app}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": app}}, "template": template(image, app)},
        "status": {"readyReplicas": replicas},
    })
}

fn primary(image: &str) -> Value {
    let mut made = deployment(image, "app-primary", 1);
    let hash = revision::hash(&template(image, "app"));
    made["metadata"]["annotations"] = json!({"serin.dev/revision": hash});
    made
}

fn route(canary: i64, epoch: i64) -> Value {
    json!({
        "metadata": {"annotations": {"serin.dev/epoch": epoch.to_string()}},
        "spec": {"http": [{"route": [
            {"destination": {"host": "app-primary"}, "weight": 100 - canary},
            {"destination": {"host": "app-canary"}, "weight": canary},
        ]}]},
    })
}

fn slice(service: &str, ready: usize) -> Value {
    let endpoint = json!({"conditions": {"ready": true}});
    json!({
        "metadata": {"labels": {"kubernetes.io/service-name": service}},
        "endpoints": vec![endpoint; ready],
    })
}

impl History {
    fn new() -> Self {
        Self { checker: Checker::default(), version: 0, millis: 0, objects: BTreeMap::default() }
    }

    fn put(&mut self, kind: Kind, name: &str, object: Option<Value>, ours: bool) {
        self.version += 1;
        self.millis += 1000;
        let old = self.objects.get(&(kind, name.to_owned())).cloned().unwrap_or_default();
        let object = object.map(|mut object| {
            let mut entries = old["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
            let manager = if ours { "serin/test" } else { "somebody" };
            entries.retain(|e| e["manager"] != manager);
            entries.push(json!({"manager": manager, "time": self.version}));
            object["metadata"]["managedFields"] = json!(entries);
            object["metadata"]["resourceVersion"] = json!(self.version.to_string());
            object
        });
        match &object {
            Some(object) => self.objects.insert((kind, name.to_owned()), object.clone()),
            None => self.objects.remove(&(kind, name.to_owned())),
        };
        let at = jiff::Timestamp::from_millisecond(self.millis).unwrap();
        self.checker.see(&Change {
            version: self.version,
            at,
            kind,
            namespace: NS.into(),
            name: name.into(),
            object,
        });
    }

    fn ours(&mut self, kind: Kind, name: &str, object: Value) {
        self.put(kind, name, Some(object), true);
    }

    fn theirs(&mut self, kind: Kind, name: &str, object: Value) {
        self.put(kind, name, Some(object), false);
    }

    fn status(&mut self, status: Value) {
        let mut canary = self.objects.get(&(Kind::Canary, "app".to_owned())).cloned().unwrap_or_else(|| {
            json!({
                "metadata": {"uid": "1", "generation": 1},
                "spec": {
                    "targetRef": {"name": "app"}, "settleTime": "500ms",
                    "analysis": {"stepWeight": 25, "maxWeight": 50},
                },
            })
        });
        canary["status"] = status;
        self.ours(Kind::Canary, "app", canary);
    }

    /// The status during a run of `image` at a step.
    fn run(&mut self, image: &str, epoch: i64, index: usize, confirmed: bool) {
        let weight = [0, 25, 50][index];
        let hash = revision::hash(&template(image, "app"));
        let mut step = json!({"index": index, "weight": weight});
        if confirmed {
            step["confirmed"] = json!("2026-01-01T00:00:00Z");
        }
        let promoted = revision::hash(&template("app:1", "app"));
        self.status(json!({
            "phase": "Progressing", "epoch": epoch, "lastAppliedSpec": hash, "lastPromotedSpec": promoted,
            "step": step, "canaryWeight": if confirmed { weight } else { 0 }, "run": {"started": "t"},
        }));
    }

    fn phase(&mut self, phase: &str, epoch: i64, applied: &str, promoted: &str) {
        let hash = |image| revision::hash(&template(image, "app"));
        let route = self.objects.get(&(Kind::Route, "app".to_owned())).cloned().unwrap_or_default();
        self.status(json!({
            "phase": phase, "epoch": epoch, "canaryWeight": route["spec"]["http"][0]["route"][1]["weight"],
            "lastAppliedSpec": hash(applied), "lastPromotedSpec": hash(promoted),
        }));
    }

    /// An initialised Canary.
    fn initialised() -> Self {
        let mut h = Self::new();
        h.theirs(Kind::Deployment, "app", deployment("app:1", "app", 1));
        h.status(json!({"phase": "Initializing", "epoch": 1}));
        h.ours(Kind::Deployment, "app-primary", primary("app:1"));
        for (name, pods) in [("app-primary", "app-primary"), ("app-canary", "app"), ("app", "app-primary")] {
            h.ours(Kind::Service, name, json!({"spec": {"selector": {"app": pods}}}));
            h.theirs(Kind::Slice, &format!("{name}-x"), slice(name, 1));
        }
        h.ours(Kind::Route, "app", route(0, 1));
        h.ours(Kind::Deployment, "app", deployment("app:1", "app", 0));
        h.theirs(Kind::Slice, "app-canary-x", slice("app-canary", 0));
        h.phase("Initialized", 1, "app:1", "app:1");
        h
    }

    /// An initialised Canary with a run of `app:2` whose pods are ready.
    fn running() -> Self {
        let mut h = Self::initialised();
        h.theirs(Kind::Deployment, "app", deployment("app:2", "app", 0));
        h.run("app:2", 2, 0, false);
        h.ours(Kind::Deployment, "app", deployment("app:2", "app", 1));
        h.theirs(Kind::Slice, "app-canary-x", slice("app-canary", 1));
        h
    }

    /// A run at a confirmed step.
    fn at_step(index: usize) -> Self {
        let mut h = Self::running();
        for step in 1..=index {
            h.run("app:2", 2, step, false);
            h.ours(Kind::Route, "app", route([0, 25, 50][step], 2));
            h.run("app:2", 2, step, true);
        }
        h
    }

    fn deleting(&mut self) {
        let mut canary = self.objects[&(Kind::Canary, "app".to_owned())].clone();
        canary["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        canary["status"]["phase"] = json!("Terminating");
        self.theirs(Kind::Canary, "app", canary);
    }

    /// Asserts that exactly this check was broken.
    fn breaks(&self, check: &str, words: &str) {
        let found = self.checker.violations(NS);
        assert!(
            found.iter().any(|v| v.check == check && v.text.contains(words)),
            "no {check} {words:?} in {found:#?}"
        );
        assert!(found.iter().all(|v| v.check == check), "more than {check}: {found:#?}");
    }

    fn breaks_nothing(&self) {
        assert_eq!(self.checker.violations(NS), []);
    }
}

#[test]
fn a_whole_life_breaks_nothing() {
    let mut h = History::at_step(2);
    h.phase("Promoting", 3, "app:2", "app:1");
    h.ours(Kind::Deployment, "app-primary", primary("app:2"));
    h.ours(Kind::Route, "app", route(0, 3));
    h.phase("Finalising", 3, "app:2", "app:1");
    h.ours(Kind::Deployment, "app", deployment("app:2", "app", 0));
    h.phase("Succeeded", 3, "app:2", "app:2");
    h.deleting();
    h.ours(Kind::Deployment, "app", deployment("app:2", "app", 1));
    h.theirs(Kind::Slice, "app-canary-x", slice("app-canary", 1));
    h.ours(Kind::Service, "app", json!({"spec": {"selector": {"app": "app"}}}));
    h.ours(Kind::Route, "app", json!({"spec": {"http": [{"route": [{"destination": {"host": "app"}}]}]}}));
    h.put(Kind::Deployment, "app-primary", None, false);
    h.put(Kind::Canary, "app", None, false);
    h.breaks_nothing();
}

#[test]
fn s1_weights_that_do_not_add_up_or_lead_elsewhere() {
    let mut h = History::running();
    h.run("app:2", 2, 1, false);
    let mut odd = route(25, 2);
    odd["spec"]["http"][0]["route"][0]["weight"] = json!(70);
    h.ours(Kind::Route, "app", odd);
    h.breaks("S1", "70");
    let mut h = History::initialised();
    let mut elsewhere = route(0, 1);
    elsewhere["spec"]["http"][0]["route"][1]["destination"]["host"] = json!("other");
    h.ours(Kind::Route, "app", elsewhere);
    h.breaks("S1", "other");
}

#[test]
fn s2_a_weight_on_no_pods() {
    let mut h = History::running();
    h.theirs(Kind::Slice, "app-canary-x", slice("app-canary", 0));
    h.millis += 10_000;
    h.run("app:2", 2, 1, false);
    h.ours(Kind::Route, "app", route(25, 2));
    h.breaks("S2", "25 % now go to app-canary");
}

#[test]
fn s2_pods_taken_from_under_a_weight() {
    let mut h = History::at_step(1);
    h.ours(Kind::Deployment, "app-primary", {
        let mut none = primary("app:1");
        none["spec"]["replicas"] = json!(0);
        none
    });
    let found = h.checker.violations(NS);
    let checks: Vec<_> = found.iter().map(|v| v.check).collect();
    assert_eq!(checks, ["S2", "S3"], "{found:#?}");
}

#[test]
fn s2_pods_that_died_a_moment_before_are_nobodys_fault() {
    let mut h = History::running();
    h.run("app:2", 2, 1, false);
    h.theirs(Kind::Slice, "app-canary-x", slice("app-canary", 0));
    h.millis -= 900;
    h.ours(Kind::Route, "app", route(25, 2));
    h.breaks_nothing();
}

#[test]
fn s2_an_apex_that_selects_no_ready_pod() {
    let mut h = History::initialised();
    h.ours(Kind::Service, "app", json!({"spec": {"selector": {"app": "app"}}}));
    h.breaks("S2", "apex Service now selects");
}

#[test]
fn s3_a_primary_deleted_while_routed_to() {
    let mut h = History::initialised();
    h.deleting();
    h.put(Kind::Deployment, "app-primary", None, false);
    h.breaks("S3", "deleted while 100 %");
}

#[test]
fn s4_a_target_emptied_too_early_or_under_traffic() {
    let rolled_back = |settled: i64| {
        let mut h = History::at_step(1);
        h.status(json!({"phase": "Progressing", "epoch": 3, "step": {"weight": 0}, "run": {"ending": {"kind": "RollingBack"}}}));
        h.ours(Kind::Route, "app", route(0, 3));
        h.millis += settled - 1000;
        h.ours(Kind::Deployment, "app", deployment("app:2", "app", 0));
        h
    };
    rolled_back(499).breaks("S4", "only 499ms after");
    rolled_back(500).breaks_nothing();
    let mut h = History::initialised();
    h.theirs(Kind::Deployment, "app", deployment("app:1", "app", 1));
    h.theirs(Kind::Service, "app", json!({"spec": {"selector": {"app": "app"}}}));
    h.ours(Kind::Deployment, "app", deployment("app:1", "app", 0));
    h.breaks("S4", "apex Service selects it");
}

#[test]
fn names_that_are_edited_are_not_followed() {
    let mut h = History::at_step(1);
    let name = |h: &mut History, name: Value| {
        let mut canary = h.objects[&(Kind::Canary, "app".to_owned())].clone();
        canary["spec"]["service"] = json!({"name": name});
        h.theirs(Kind::Canary, "app", canary);
    };
    name(&mut h, json!("web"));
    h.status(json!({"phase": "Progressing", "epoch": 3, "step": {"weight": 0}, "run": {"ending": {"kind": "RollingBack"}}}));
    h.ours(Kind::Route, "app", route(0, 3));
    name(&mut h, Value::Null);
    h.ours(Kind::Deployment, "app", deployment("app:2", "app", 0));
    h.breaks_nothing();
    h.ours(Kind::Route, "app", route(25, 3));
    name(&mut h, json!("web"));
    h.ours(Kind::Deployment, "app-primary", json!({"spec": {"replicas": 0}}));
    assert!(h.checker.violations(NS).iter().any(|found| found.check == "S3"));
}

#[test]
fn s5_a_primary_given_what_did_not_pass_or_is_not_known_or_is_not_equal() {
    let mut h = History::at_step(1);
    h.phase("Promoting", 3, "app:2", "app:1");
    h.ours(Kind::Deployment, "app-primary", primary("app:2"));
    h.breaks("S5", "without a complete pass");
    let promoting = |made: Value| {
        let mut h = History::at_step(2);
        h.phase("Promoting", 3, "app:2", "app:1");
        h.ours(Kind::Deployment, "app-primary", made);
        h
    };
    promoting(primary("app:2")).breaks_nothing();
    promoting(primary("app:3")).breaks("S5", "unknown revision");
    let mut other = primary("app:2");
    other["spec"]["template"]["spec"]["containers"][0]["image"] = json!("app:evil");
    promoting(other).breaks("S5", "/spec/containers/0/image");
}

#[test]
fn s7_a_raise_at_an_epoch_that_was_being_ended() {
    let mut h = History::running();
    h.run("app:2", 2, 1, false);
    let mut status = h.objects[&(Kind::Canary, "app".to_owned())]["status"].clone();
    status["run"]["ending"] = json!({"kind": "RollingBack"});
    h.status(status);
    h.ours(Kind::Route, "app", route(25, 2));
    h.breaks("S7", "epoch 2");
}

#[test]
fn s9_a_step_left_out_and_a_step_back() {
    let mut h = History::running();
    h.run("app:2", 2, 2, false);
    h.ours(Kind::Route, "app", route(50, 2));
    h.breaks("S9", "from 0 to 50 %");
    let mut h = History::at_step(2);
    h.ours(Kind::Route, "app", route(40, 2));
    h.phase("Progressing", 2, "app:2", "app:1");
    h.breaks("S9", "down from 50 to 40 %");
}

#[test]
fn s9_says_nothing_of_runs_that_somebody_edits() {
    let mut h = History::at_step(1);
    h.theirs(Kind::Route, "app", route(90, 2));
    h.ours(Kind::Route, "app", route(25, 2));
    h.breaks_nothing();
}

#[test]
fn s10_an_epoch_that_goes_back() {
    let mut h = History::initialised();
    h.phase("Initialized", 0, "app:1", "app:1");
    h.breaks("S10", "from 1 back to 0");
}

#[test]
fn s11_a_target_that_was_changed() {
    let mut h = History::initialised();
    h.ours(Kind::Deployment, "app", deployment("app:9", "app", 0));
    h.breaks("S11", "/spec/template");
}

#[test]
fn s12_a_deletion_that_takes_the_pods_away() {
    let mut h = History::initialised();
    h.deleting();
    h.ours(Kind::Route, "app", json!({"spec": {"http": [{"route": [{"destination": {"host": "app"}}]}]}}));
    h.breaks_nothing();
    h.theirs(Kind::Slice, "app-x", slice("app", 0));
    h.breaks("S12", "clients meet");
}

#[test]
fn s14_a_status_that_says_another_weight() {
    let mut h = History::at_step(1);
    let mut status = h.objects[&(Kind::Canary, "app".to_owned())]["status"].clone();
    status["canaryWeight"] = json!(50);
    h.status(status);
    h.breaks("S14", "says 50 %, the route carries 25");
}

#[test]
fn s15_writes_at_rest() {
    let mut h = History::initialised();
    for _ in 0..11 {
        h.ours(Kind::Service, "app-canary", json!({"spec": {"selector": {"app": "app"}}}));
    }
    h.breaks("S15", "within a minute at rest");
}

#[test]
fn s16_pods_are_taken_from_the_primary() {
    let sized = |replicas: i64| {
        let mut made = primary("app:1");
        made["spec"]["replicas"] = json!(replicas);
        made
    };
    let target = |replicas: i64| deployment("app:1", "app", replicas);
    let mut h = History::initialised();
    h.theirs(Kind::Deployment, "app-primary", sized(6));
    h.theirs(Kind::Deployment, "app", target(3));
    h.ours(Kind::Deployment, "app-primary", sized(3));
    h.breaks_nothing();
    // this may be an accident
    h.theirs(Kind::Deployment, "app", target(1));
    h.ours(Kind::Deployment, "app-primary", sized(1));
    h.breaks("S16", "from 3 to 1, and needs 3");
}

#[test]
fn s9_a_weight_that_the_status_does_not_know() {
    let mut h = History::running();
    h.ours(Kind::Route, "app", route(25, 2));
    h.breaks("S9", "from 0 to 25 %, and the status says 0");
}

#[test]
fn whose_a_write_was() {
    let entry = |manager: &str, time: u64, fields: &str| json!({"manager": manager, "time": time, "fieldsV1": fields});
    let object = |entries: Vec<Value>, written: &str| json!({"metadata": {"managedFields": entries, "annotations": {"serin.dev/written": written}}});
    let old = object(vec![entry("serin/route", 1, "ab"), entry("kubectl", 1, "c")], "1");
    let lost = object(vec![entry("serin/route", 1, "a"), entry("kubectl", 2, "cb")], "1");
    assert!(!super::world::ours(Some(&old), &lost), "a field taken from us");
    let same_second = object(vec![entry("serin/route", 1, "ab"), entry("kubectl", 1, "c")], "2");
    assert!(super::world::ours(Some(&old), &same_second), "our stamp");
    let later = object(vec![entry("serin/route", 2, "ab"), entry("kubectl", 1, "c")], "1");
    assert!(super::world::ours(Some(&old), &later) && super::world::ours(None, &old));
    assert!(!super::world::ours(Some(&old), &old), "nobody's");
    let sized = |replicas: i64, time: u64| {
        json!({
            "metadata": {"managedFields": [entry("kubectl", time, "r")]}, "spec": {"replicas": replicas},
        })
    };
    assert!(super::world::ours(Some(&sized(1, 1)), &sized(0, 1)), "scaled, and signed by nobody");
    assert!(!super::world::ours(Some(&sized(1, 1)), &sized(0, 2)), "scaled by kubectl");
}
