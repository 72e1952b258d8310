//! PURE. A Canary whose pods are always ready and whose route follows at once: the operator's own decisions are carried out on
//! a snapshot, so that nothing but its analysis decides how a run goes.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::{Canary, CanaryStatus, Phase},
    clock,
    config::Rules,
    expression::Known,
    manifest,
    plan::{self, Action, Answers, Question, Wake},
    snapshot::{DEPLOYMENT, Kind, ObjectRef, Objects, Pauses, Records, SERVICE, Snapshot},
    write_budget::WriteBudget,
};

/// Passes that may follow one another without any time passing.
const MOST_PASSES: u32 = 60;
/// When time begins.
const BEGINNING: i64 = 1_700_000_000;
/// The canary gets its first requests within this of the beginning, in seconds.
const SOON: i64 = 24 * 3600;

/// Answers the questions of a pass.
pub(super) trait Answering {
    /// What was counted and measured by this time, while this status stood.
    fn answers(&mut self, questions: &[Question], status: &CanaryStatus, now: Timestamp) -> Answers;
}

/// Servers are there, and nothing is measured.
struct Nothing;

impl Answering for Nothing {
    fn answers(&mut self, questions: &[Question], _: &CanaryStatus, _: Timestamp) -> Answers {
        let mut answers = Answers::default();
        for question in questions {
            match question {
                Question::Ping { .. } => answers.ping = Some(Ok(())),
                Question::Exists { .. } => answers.exists = Some(true),
                Question::Measure { .. }
                | Question::Newest { .. }
                | Question::Count { .. }
                | Question::Config { .. } => {}
            }
        }
        answers
    }
}

/// A run under way.
#[derive(Clone)]
pub(super) struct Stage {
    snap: Snapshot,
    pub(super) now: Timestamp,
    version: u64,
    still: u32,
}

impl Stage {
    /// A run of this Canary at the moment at which its first step has requests.
    ///
    /// # Errors
    /// The operator would not begin it: why.
    pub(super) fn begun(analysis: &Value, name: &str, rules: &Rules) -> Result<Self, String> {
        let mut stage = Self::set(analysis, name, rules)?;
        stage.until(|status| status.phase == Some(Phase::Initialized))?;
        let image =
            json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:2"}]}}}});
        stage.patch(&ObjectRef::new(DEPLOYMENT, name), &image);
        stage.controllers();
        stage.until(|status| {
            let step = status.step.as_ref().filter(|_| status.phase == Some(Phase::Progressing));
            step.is_some_and(|step| step.index > 0 && step.confirmed.is_some())
        })?;
        Ok(stage)
    }

    fn set(analysis: &Value, name: &str, rules: &Rules) -> Result<Self, String> {
        let now = Timestamp::from_second(BEGINNING).unwrap_or_default();
        let canary = json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
            "metadata": {"name": name, "namespace": "backtest", "uid": "canary", "resourceVersion": "1", "generation": 1,
                "creationTimestamp": format!("{now:.0}")},
            "spec": {
                "provider": "istio", "service": {"port": 80}, "analysis": analysis,
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            },
        });
        let canary: Canary = serde_json::from_value(canary).map_err(|e| format!("spec.analysis: {e}"))?;
        let rules = Rules {
            config_tracking: false,
            metrics_server: rules.metrics_server.clone(),
            outbound: rules.outbound.clone(),
            ..Rules::default()
        };
        let mut stage = Self { snap: empty(canary, rules), now, version: 1, still: 0 };
        let labels = json!({"app": name});
        let target = json!({
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "replicas": 1, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}},
            },
        });
        stage.put(DEPLOYMENT, target);
        stage.controllers();
        Ok(stage)
    }

    /// The status as it stands.
    pub(super) fn status(&self) -> CanaryStatus {
        self.snap.canary.status.clone().unwrap_or_default()
    }

    fn until(&mut self, is: impl Fn(&CanaryStatus) -> bool) -> Result<(), String> {
        let last = clock::after(self.now, std::time::Duration::from_secs(SOON.unsigned_abs()));
        while self.now < last {
            if is(&self.status()) {
                return Ok(());
            }
            if !self.pass(&mut Nothing) {
                break;
            }
        }
        let conditions = self.status().conditions;
        let why = conditions.iter().find(|c| c.status == "False").or(conditions.last());
        Err(why.map_or_else(|| "its run does not begin".to_owned(), |c| c.message.clone()))
    }

    /// One pass of the operator, and the time until the next one. False: nothing will happen any more.
    pub(super) fn pass(&mut self, answering: &mut dyn Answering) -> bool {
        let snap = &mut self.snap;
        snap.conditions = snap.conditions.with(snap.canary.conditions());
        let plan = plan::begin(snap, self.now).unwrap_or_else(|questions| {
            let status = snap.canary.status.clone().unwrap_or_default();
            let answers = answering.answers(&questions, &status, self.now);
            plan::decide(snap, &Answers { asked_at: self.now, ..answers }, self.now)
        });
        let (rests, wake) = (plan.is_empty(), plan.wake);
        if let Some(status) = plan.status {
            let mut canary = Canary::clone(&self.snap.canary);
            canary.status = Some(status);
            canary.metadata.resource_version = Some(self.next());
            self.snap.canary = Arc::new(canary);
        }
        for action in &plan.actions {
            self.act(action);
        }
        self.controllers();
        match wake {
            Wake::At(at) if rests && at > self.now => {
                (self.now, self.still) = (at, 0);
                true
            }
            Wake::OnChange if rests => false,
            Wake::At(_) | Wake::Now | Wake::OnChange => {
                self.still += 1;
                self.still < MOST_PASSES
            }
        }
    }

    fn next(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    fn put(&mut self, kind: Kind, mut object: Value) {
        let version = self.next();
        let meta = json!({
            "apiVersion": kind.api_version(), "kind": kind.kind, "status": null,
            "metadata": {"namespace": "backtest", "uid": format!("uid-{version}"), "resourceVersion": version,
                "generation": 1, "creationTimestamp": format!("{:.0}", self.now)},
        });
        json_patch::merge(&mut object, &meta);
        self.snap.objects.insert(kind, object);
    }

    fn patch(&mut self, at: &ObjectRef, patch: &Value) {
        let Some(mut object) = self.snap.objects.remove(at) else { return };
        let before = object["spec"].clone();
        json_patch::merge(&mut object, patch);
        let more = i64::from(object["spec"] != before);
        let generation = object["metadata"]["generation"].as_i64().unwrap_or(1) + more;
        let version = self.next();
        json_patch::merge(
            &mut object,
            &json!({"metadata": {"generation": generation, "resourceVersion": version}}),
        );
        self.snap.objects.insert(at.kind, object);
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Create(manifest) => self.put(manifest.kind, manifest.to_create()),
            Action::Patch { at, patch, .. } => self.patch(at, patch),
            Action::Scale { name, replicas, .. } => {
                self.patch(&ObjectRef::new(DEPLOYMENT, name), &json!({"spec": {"replicas": replicas}}));
            }
            Action::Delete { at, .. } => {
                self.snap.objects.remove(at);
            }
            Action::Finalizers { list } => {
                let mut canary = Canary::clone(&self.snap.canary);
                canary.metadata.finalizers = Some(list.clone());
                self.snap.canary = Arc::new(canary);
            }
            // its pods use none
            Action::Copy(_) => {}
        }
    }

    /// All pods that are asked for are ready, and behind their Services.
    fn controllers(&mut self) {
        let deployments: Vec<Value> = self.snap.objects.of(DEPLOYMENT).cloned().collect();
        for mut deployment in deployments.iter().cloned() {
            let pods = manifest::replicas(&deployment);
            let status = json!({
                "observedGeneration": deployment["metadata"]["generation"], "replicas": pods, "updatedReplicas": pods,
                "availableReplicas": pods, "readyReplicas": pods,
                "conditions": [
                    {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                        "lastUpdateTime": deployment["metadata"]["creationTimestamp"]},
                    {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
                ],
            });
            if deployment["status"] != status {
                deployment["status"] = status;
                self.snap.objects.insert(DEPLOYMENT, deployment);
            }
        }
        let behind = |service: &Value| {
            let selector = service["spec"]["selector"].as_object().filter(|selector| !selector.is_empty());
            let selected = deployments.iter().filter(|deployment| {
                let labels = &deployment["spec"]["template"]["metadata"]["labels"];
                selector.is_some_and(|selector| selector.iter().all(|(key, value)| labels[key] == *value))
            });
            u32::try_from(selected.map(manifest::replicas).sum::<i64>()).unwrap_or(0)
        };
        let services = self.snap.objects.of(SERVICE);
        let named = services.filter_map(|s| Some((s["metadata"]["name"].as_str()?.to_owned(), behind(s))));
        self.snap.ready = named.collect();
    }
}

/// A Canary alone in its cluster.
pub(super) fn empty(canary: Canary, rules: Rules) -> Snapshot {
    Snapshot {
        rules,
        canary: Arc::new(canary),
        objects: Objects::default(),
        ready: BTreeMap::new(),
        ready_since: BTreeMap::new(),
        leaving: BTreeMap::new(),
        missing_kinds: vec![],
        forbidden_kinds: vec![],
        unlisted_kinds: BTreeMap::new(),
        stale: vec![],
        not_followed: vec![],
        rivals: vec![],
        neighbours: vec![],
        bystanders: vec![],
        templates: BTreeMap::new(),
        secrets: None,
        alert_providers: BTreeMap::new(),
        undecodable: BTreeMap::new(),
        flagger: None,
        namespace_terminating: false,
        refused: None,
        unkept: None,
        refused_job: None,
        writes: WriteBudget::default(),
        pauses: Pauses::default(),
        edited: None,
        watching_since: Timestamp::MIN,
        records: Records::default(),
        conditions: Known::default(),
        heard: BTreeMap::new(),
        queued: None,
    }
}
