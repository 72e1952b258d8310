//! Converts a Rollout to a Deployment and a Canary.

use serde_json::{Map, Value, json};

use super::{
    blue_green,
    converted::Converted,
    draft::Draft,
    input::{Input, meta},
    metrics::{self, Analysis},
    notes::Notes,
    pods, route, service,
    steps::{self, Steps},
};

/// The selector needs one of these labels, the defaults of `--selector-labels`.
const LABELS: [&str; 3] = ["app", "name", "app.kubernetes.io/name"];
/// The fields for the number of records per kind. Argo Rollouts' defaults are nearly the same as Serin's.
const RECORDS: [&str; 2] = ["successfulRunHistoryLimit", "unsuccessfulRunHistoryLimit"];

/// Converts a Rollout. Reports everything that prevents the conversion.
pub(super) fn convert(input: &Input<'_>, rollout: &Value, notes: &mut Notes) -> Option<Converted> {
    let mut draft = Draft::new(input, rollout);
    workload(&mut draft, notes);
    scaler(&mut draft, notes);
    let strategy = &rollout["spec"]["strategy"];
    if strategy["blueGreen"].is_object() {
        blue_green::convert(&mut draft, notes);
    } else if strategy["canary"].is_object() {
        canary(&mut draft, notes);
    } else {
        notes.refuse("spec.strategy", "it has neither canary nor blueGreen");
        return None;
    }
    route::rename_elsewhere(&mut draft, notes);
    finish(&mut draft, notes);
    Some(Converted { objects: draft.objects, replaced: draft.replaced })
}

/// The Deployment: with the Rollout's own pod template, or the Deployment that the Rollout refers to.
fn workload(draft: &mut Draft<'_>, notes: &mut Notes) {
    let (rollout, spec) = (draft.rollout, &draft.rollout["spec"]);
    let mut name = meta(rollout, "name").to_owned();
    let mut deployment =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(rollout)});
    let mut own = Map::new();
    for field in [
        "replicas",
        "minReadySeconds",
        "revisionHistoryLimit",
        "progressDeadlineSeconds",
        "selector",
        "template",
    ] {
        if !spec[field].is_null() {
            own.insert(field.into(), spec[field].clone());
        }
    }
    if let Some(reference) = spec["workloadRef"].as_object() {
        name = reference.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = reference.get("kind").and_then(Value::as_str).unwrap_or_default();
        let version = reference.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        if kind != "Deployment" || version != "apps/v1" {
            notes.refuse("spec.workloadRef", format!("{kind} of {version}: name a Deployment of apps/v1"));
        }
        let Some(given) = draft.given("Deployment", &name) else {
            notes.refuse(
                "spec.workloadRef",
                format!("the Deployment {name} is not in these files: give it as well"),
            );
            return;
        };
        deployment = given.clone();
        for (field, value) in own {
            deployment["spec"][field] = value;
        }
        draft.replace(given, None);
    } else {
        deployment["spec"] = Value::Object(own);
    }
    let selector = deployment["spec"]["selector"]["matchLabels"].clone();
    if !LABELS.iter().any(|label| selector[label].is_string()) {
        notes.differs("spec.selector", "its selector has none of the labels app, name and app.kubernetes.io/name, of which the primary gets its own value: add one, or set the operator's --selector-labels");
    }
    if !deployment["spec"]["replicas"].is_null() {
        notes.differs("spec.replicas", "the Deployment rests at 0 pods once it is taken over, and the primary has the number: take replicas out of what your tool applies (docs/gitops.md)");
    }
    draft
        .spec
        .insert("targetRef".into(), json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": name}));
    draft.objects.push(deployment);
}

/// Metadata without fields of the cluster, the other controller, or a tool.
fn metadata(object: &Value) -> Value {
    let foreign =
        ["rollout.argoproj.io/", "argo-rollouts.argoproj.io/", "kubectl.kubernetes.io/last-applied"];
    let mut kept = Map::new();
    for field in ["name", "namespace", "labels", "annotations"] {
        let mut value = object["metadata"][field].clone();
        if let Some(entries) = value.as_object_mut() {
            entries.retain(|key, _| !foreign.iter().any(|prefix| key.starts_with(prefix)));
        }
        if !value.is_null() && value != json!({}) {
            kept.insert(field.into(), value);
        }
    }
    Value::Object(kept)
}

/// Lets an autoscaler of the Rollout scale the Deployment.
fn scaler(draft: &mut Draft<'_>, notes: &mut Notes) {
    let strategy = &draft.rollout["spec"]["strategy"];
    let shares = strategy["canary"].is_object() && route::routers(&strategy["canary"]).is_empty();
    let target = draft.spec.get("targetRef").cloned().unwrap_or_default();
    let given: Vec<&Value> = draft.input.scalers(draft.rollout).collect();
    for (i, scaler) in given.into_iter().enumerate() {
        let (kind, name) = (scaler["kind"].as_str().unwrap_or_default(), meta(scaler, "name"));
        if shares || i > 0 {
            let why = if shares {
                "shares of pods are made by the replicas, which an autoscaler would set as well"
            } else {
                "a Canary has one autoscaler"
            };
            notes.left_out("", format!("{kind} {name} is left out: {why}"));
            draft.replace(scaler, None);
            continue;
        }
        let mut other = scaler.clone();
        other["spec"]["scaleTargetRef"] = target.clone();
        draft.replace(scaler, Some(other));
        draft.spec.insert(
            "autoscalerRef".into(),
            json!({"apiVersion": scaler["apiVersion"], "kind": kind, "name": name}),
        );
        draft.scaled = true;
    }
}

fn canary(draft: &mut Draft<'_>, notes: &mut Notes) {
    let at = "spec.strategy.canary";
    let own = &draft.rollout["spec"]["strategy"]["canary"];
    let name = |field: &str| own[field].as_str().unwrap_or_default();
    service::convert(draft, name("stableService"), name("canaryService"), notes);
    let routed = !route::routers(own).is_empty();
    let steps = steps::read(draft, routed, notes);
    route::convert(draft, &steps, notes);
    if own["analysis"].is_object() {
        let start = own["analysis"]["startingStep"].as_u64().and_then(|step| usize::try_from(step).ok());
        let start = start.map(|step| steps.place(step));
        let analysis = Analysis { value: &own["analysis"], at: format!("{at}.analysis"), start };
        metrics::add(draft, &analysis, notes);
    }
    for (i, place) in &steps.analyses {
        let place = (*place).min(steps.all.len().saturating_sub(1));
        let at = format!("{}[{i}].analysis", steps::AT);
        notes.differs(&at, format!("its metrics are measured from step {} on, and the promotion waits for them; steps after it do not", place + 1));
        let analysis = Analysis { value: &own["steps"][i]["analysis"], at, start: Some(place) };
        metrics::add(draft, &analysis, notes);
    }
    written(draft, &steps, routed, notes);
    pods::delay(draft, own, at, notes);
    if !own["maxSurge"].is_null() || !own["maxUnavailable"].is_null() {
        pods::rolling(draft, own);
    }
    if !own["replicaProgressThreshold"].is_null() {
        pods::threshold(
            draft,
            &own["replicaProgressThreshold"],
            &format!("{at}.replicaProgressThreshold"),
            notes,
        );
    }
}

/// Steps, mirroring, header routes and pods.
fn written(draft: &mut Draft<'_>, steps: &Steps, routed: bool, notes: &mut Notes) {
    let own = &draft.rollout["spec"]["strategy"]["canary"];
    if steps.all.is_empty() {
        draft.spec.insert("skipAnalysis".into(), json!(true));
        notes.differs(
            "spec.strategy.canary.steps",
            "there are none: every new version is promoted as soon as its pods are ready (spec.skipAnalysis)",
        );
    } else {
        draft.analysis.insert("steps".into(), json!(steps.written()));
    }
    let bare = steps.all.iter().any(|step| step.hold.is_zero() && !step.gate);
    if bare {
        notes.differs(
            "spec.strategy.canary.steps",
            format!("a step without a pause lasts one interval, {}", draft.interval()),
        );
    }
    if !steps.always.is_empty() {
        let list = draft.analysis.entry("always").or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.extend(steps.always.iter().cloned());
        }
    }
    if let Some(percent) = steps.mirror {
        draft.analysis.insert("mirror".into(), json!(true));
        if percent < 100 {
            draft.analysis.insert("mirrorWeight".into(), json!(percent));
        }
    }
    let least = own["minPodsPerReplicaSet"].as_i64();
    // in Argo Rollouts the pods follow the weight unless a step says otherwise
    let replicas =
        steps.replicas.clone().or_else(|| Some(json!("match")).filter(|_| routed && !steps.all.is_empty()));
    match replicas {
        Some(_) if draft.scaled && least.is_some() => notes.left_out(
            "spec.strategy.canary.minPodsPerReplicaSet",
            "with an autoscaler the new version has as many pods as the primary",
        ),
        Some(_) if draft.scaled => notes.differs(
            "spec.strategy.canary",
            "with an autoscaler the new version has as many pods as the primary",
        ),
        Some(replicas) => {
            if let Some(least) = least.filter(|_| replicas == "match") {
                draft.analysis.insert("minReady".into(), json!(least));
            } else if least.is_some() {
                notes.left_out(
                    "spec.strategy.canary.minPodsPerReplicaSet",
                    "spec.analysis.canaryReplicas is a number",
                );
            }
            draft.analysis.insert("canaryReplicas".into(), replicas);
        }
        None if least.is_some() => {
            notes.left_out("spec.strategy.canary.minPodsPerReplicaSet", "weights are shares of pods here");
        }
        None => {}
    }
}

/// Completes the Canary with the fields that all strategies share.
fn finish(draft: &mut Draft<'_>, notes: &mut Notes) {
    let spec = &draft.rollout["spec"];
    if !spec["progressDeadlineSeconds"].is_null() {
        draft.spec.insert("progressDeadlineSeconds".into(), spec["progressDeadlineSeconds"].clone());
    }
    if spec["progressDeadlineAbort"] == false {
        notes.differs(
            "spec.progressDeadlineAbort",
            "a run is rolled back at progressDeadlineSeconds all the same",
        );
    } else if spec["progressDeadlineAbort"].is_null() && !spec["progressDeadlineSeconds"].is_null() {
        notes.differs("spec.progressDeadlineSeconds", "a run that takes longer ends, and is rolled back");
    }
    if spec["paused"] == true {
        draft.spec.insert("suspend".into(), json!(true));
    }
    let kept: Vec<i64> = RECORDS.iter().filter_map(|field| spec["analysis"][*field].as_i64()).collect();
    if let Some(most) = kept.iter().max() {
        draft.analysis.insert("history".into(), json!(most.clamp(&0, &100)));
        notes.differs(
            "spec.analysis",
            format!("spec.analysis.history is one for runs that went well and badly: {most} of {kept:?}"),
        );
    }
    draft.analysis.insert("interval".into(), json!(draft.interval()));
    draft.analysis.insert("threshold".into(), json!(draft.failures.max(1)));
    if !draft.metrics.is_empty() {
        draft.analysis.insert("metrics".into(), json!(draft.metrics));
    }
    draft.spec.insert("service".into(), json!(draft.service));
    draft.spec.insert("analysis".into(), json!(draft.analysis));
    let name = meta(draft.rollout, "name").to_owned();
    let mut metadata = draft.metadata(&name);
    if let Some(labels) = draft.rollout["metadata"]["labels"].as_object() {
        metadata["labels"] = json!(labels);
    }
    draft.objects.push(json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": metadata, "spec": draft.spec,
    }));
}
