//! The operator's own validation of each Canary, and problems across several objects.

use std::collections::BTreeMap;

use serde_json::Value;
use serin::{
    api::Canary,
    config::Rules,
    expression::Condition,
    router,
    spec::{Denial, Findings, Validated, validate},
};

use super::{documents::Document, finding::Finding};

pub(super) fn is_canary(object: &Value) -> bool {
    is(object, "flagger.app", "Canary")
}

fn is(object: &Value, group: &str, kind: &str) -> bool {
    let version = object["apiVersion"].as_str().unwrap_or_default();
    object["kind"] == kind && version.split_once('/').is_some_and(|(of, _)| of == group)
}

fn namespace(object: &Value) -> &str {
    object["metadata"]["namespace"].as_str().unwrap_or_default()
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// Checks all Canaries.
pub(super) fn check(all: &[Document]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut targets: BTreeMap<[String; 4], &Document> = BTreeMap::new();
    for document in all.iter().filter(|document| is_canary(&document.object)) {
        // the schema check has reported wrong types
        let Ok(canary) = serde_json::from_value::<Canary>(document.object.clone()) else { continue };
        found.extend(own(document, &canary));
        found.extend(references(document, &canary, all));
        found.extend(images(&canary, document, all));
        let target = &canary.spec.target_ref;
        let group = target.api_version.split_once('/').map_or("", |(group, _)| group);
        let key = [namespace(&document.object), group, &target.kind, &target.name].map(str::to_owned);
        // a Canary that appears twice, as in overlays, counts once
        if let Some(first) = targets.get(&key).filter(|first| name(&first.object) != name(&document.object)) {
            let text = format!(
                "spec.targetRef: {} {} is the target of {} as well ({}:{}): one of them is refused",
                target.kind,
                target.name,
                first.title(),
                first.file,
                first.line
            );
            found.push(Finding::of(document, "SER0108", text));
        }
        targets.entry(key).or_insert(document);
    }
    found
}

/// Findings from the spec alone.
fn own(document: &Document, canary: &Canary) -> Vec<Finding> {
    let rules = Rules::default();
    let say = |code: &'static str, text: String| Finding::of(document, code, text);
    let mut found = Vec::new();
    if canary.spec.skip_analysis == Some(true) {
        found.push(say(
            "SER0213",
            "spec.skipAnalysis is true: new revisions are promoted without analysis".into(),
        ));
    }
    if canary.spec.suspend == Some(true) {
        found.push(say("SER0213", "spec.suspend is true: nothing moves until it is not".into()));
    }
    if document.object["apiVersion"] != "flagger.app/v1beta1" {
        let version = document.object["apiVersion"].as_str().unwrap_or_default();
        found.push(say("SER0214", format!("{version} is an old version: write flagger.app/v1beta1")));
    }
    let c = match validate(canary, &rules) {
        Ok(c) => c,
        Err(Denial::Invalid(problem)) => {
            found.push(say(of_reason(problem.reason), problem.message));
            return found;
        }
        Err(Denial::Unserved(list)) => {
            found.extend(list.into_iter().map(|text| say("SER0104", text)));
            return found;
        }
    };
    let operator = Findings::of(&c, &rules);
    found.extend(operator.faults.into_iter().map(|fault| say(of_reason(fault.reason), fault.message)));
    found.extend(operator.unserved.into_iter().map(|text| say("SER0104", text)));
    found.extend(operator.advice.into_iter().map(|text| say(of_advice(&text), text)));
    found.extend(conditions(&c).into_iter().map(|text| say("SER0106", text)));
    match router::by_name(&c.provider) {
        Some(router) => found.extend(router.unsupported(&c).into_iter().map(|text| say("SER0104", text))),
        None => found.push(say("SER0104", format!("spec.provider: {} is not served", c.provider))),
    }
    found
}

/// The code for a reason of the condition Accepted.
fn of_reason(reason: &str) -> &'static str {
    match reason {
        "UnknownMetric" => "SER0105",
        "MetricInvalid" => "SER0106",
        "WebhookInvalid" | "HostNotAllowed" => "SER0109",
        _ => "SER0103",
    }
}

/// The code for an advice of the operator, found by its text. `lint::tests` fails when the texts change.
fn of_advice(text: &str) -> &'static str {
    const WORDS: [(&str, &str); 6] = [
        ("is measured in percent", "SER0102"),
        ("is not a duration", "SER0110"),
        ("is not a multiple of stepWeight", "SER0202"),
        ("passes maxWeight", "SER0202"),
        ("every revision that becomes ready is promoted", "SER0204"),
        ("is the old name of", "SER0214"),
    ];
    WORDS.iter().find(|(words, _)| text.contains(words)).map_or("SER0200", |(_, code)| code)
}

/// Invalid conditions of metrics.
fn conditions(c: &Validated) -> Vec<String> {
    let mut wrong = Vec::new();
    for metric in &c.analysis.metrics {
        for text in metric.verdict.conditions() {
            if let Err(why) = Condition::parse(text) {
                wrong.push(format!(
                    "spec.analysis.metrics[{}]: the condition {text:?} cannot be read: {why}",
                    metric.name
                ));
            }
        }
    }
    wrong
}

/// Objects that the Canary refers to and that are not in these files.
fn references(document: &Document, canary: &Canary, all: &[Document]) -> Vec<Finding> {
    let here = namespace(&document.object);
    // a chart's objects have no namespace before the chart is installed
    let there = |other: &str, wanted: &str| other == wanted || other.is_empty() || wanted.is_empty();
    let target = &canary.spec.target_ref;
    let is_target =
        |o: &Value| o["kind"] == target.kind.as_str() && name(o) == target.name && there(namespace(o), here);
    let mut found = Vec::new();
    if !all.iter().any(|other| is_target(&other.object)) {
        let text = format!("spec.targetRef: {} {} is not in these files", target.kind, target.name);
        found.push(Finding::of(document, "SER0301", text));
    }
    let metrics = canary.analysis().map(|a| a.metrics.as_slice()).unwrap_or_default();
    for reference in metrics.iter().filter_map(|metric| metric.template_ref.as_ref()) {
        let (wanted, template) = reference.in_namespace(here);
        let is_template = |o: &Value| {
            is(o, "flagger.app", "MetricTemplate") && name(o) == template && there(namespace(o), wanted)
        };
        if !all.iter().any(|other| is_template(&other.object)) {
            let text = format!("spec.analysis.metrics: the MetricTemplate {template} is not in these files");
            found.push(Finding::of(document, "SER0301", text));
        }
    }
    found
}

/// Images of the target that can change without a new template. Then no release starts.
fn images(canary: &Canary, document: &Document, all: &[Document]) -> Vec<Finding> {
    let target = &canary.spec.target_ref;
    let is_target = |o: &Value| o["kind"] == target.kind.as_str() && name(o) == target.name;
    let same = |o: &Value| namespace(o) == namespace(&document.object);
    let workloads = all.iter().filter(|other| is_target(&other.object) && same(&other.object));
    let mut found = Vec::new();
    for workload in workloads {
        let containers = workload.object["spec"]["template"]["spec"]["containers"].as_array();
        for container in containers.into_iter().flatten() {
            let image = container["image"].as_str().unwrap_or_default();
            let file = image.rsplit('/').next().unwrap_or_default();
            let loose = !image.is_empty()
                && !image.contains('@')
                && (!file.contains(':') || file.ends_with(":latest"));
            if loose {
                let text = format!(
                    "the image {image} has no tag of its own: another image under the same name is no new revision"
                );
                found.push(Finding::of(workload, "SER0215", text));
            }
        }
    }
    found
}
