use serde_json::{Value, json};

use super::*;

fn canary(analysis: &Value, rest: &Value) -> Value {
    let mut spec = json!({
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"},
        "service": {"port": 80}, "analysis": analysis,
    });
    for (field, value) in rest.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    json!({"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": "app", "namespace": "shop"}, "spec": spec})
}

fn metric() -> Value {
    json!({"name": "request-success-rate", "thresholdRange": {"min": 99}})
}

fn analysis(fields: &Value) -> Value {
    let mut all = json!({"interval": "1m", "stepWeight": 10, "maxWeight": 50, "metrics": [metric()]});
    for (field, value) in fields.as_object().into_iter().flatten() {
        all[field] = value.clone();
    }
    all
}

fn deployment(image: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}})
}

fn of(objects: &[Value]) -> Report {
    let text = json!({"kind": "List", "items": objects}).to_string();
    lint(&[Source { name: "all.yaml".into(), text }], &[])
}

/// The codes for a Canary with its target.
fn codes(canary: &Value) -> Vec<&'static str> {
    let mut all: Vec<_> =
        of(&[canary.clone(), deployment("app:1")]).findings.iter().map(|f| f.code).collect();
    all.dedup();
    all
}

#[test]
fn a_canary_that_is_as_it_should_be_has_no_findings() {
    assert_eq!(codes(&canary(&analysis(&json!({})), &json!({}))), Vec::<&str>::new());
}

#[test]
fn each_code_has_its_case() {
    let of_analysis = |fields: Value| canary(&analysis(&fields), &json!({}));
    let metrics = |metric: Value| of_analysis(json!({"metrics": [metric]}));
    let webhook = json!([{"name": "load", "type": "rollout", "url": "tester"}]);
    let local = json!([{"name": "load", "type": "rollout", "url": "http://127.0.0.1/"}]);
    let condition = json!({"name": "own", "query": "vector(1)", "successCondition": "result >"});
    let mut old = of_analysis(json!({}));
    old["apiVersion"] = json!("flagger.app/v1alpha3");
    for (code, canary) in [
        ("SER0101", of_analysis(json!({"treshold": 5}))),
        ("SER0101", of_analysis(json!({"threshold": "5"}))),
        ("SER0101", of_analysis(json!({"mirrorWeight": 200}))),
        ("SER0101", canary(&analysis(&json!({})), &json!({"provider": "istoi"}))),
        ("SER0102", metrics(json!({"name": "request-success-rate", "thresholdRange": {"min": 0.99}}))),
        ("SER0103", canary(&json!({"interval": "1m", "metrics": [metric()]}), &json!({}))),
        ("SER0104", canary(&analysis(&json!({})), &json!({"provider": "kubernetes"}))),
        ("SER0104", canary(&analysis(&json!({})), &json!({"provider": "osm"}))),
        ("SER0105", metrics(json!({"name": "own"}))),
        ("SER0106", metrics(condition)),
        ("SER0109", of_analysis(json!({"webhooks": webhook}))),
        ("SER0109", of_analysis(json!({"webhooks": local}))),
        ("SER0110", of_analysis(json!({"interval": "5min"}))),
        ("SER0202", of_analysis(json!({"stepWeight": 20}))),
        ("SER0204", of_analysis(json!({"metrics": []}))),
        ("SER0213", canary(&analysis(&json!({})), &json!({"skipAnalysis": true}))),
        ("SER0213", canary(&analysis(&json!({})), &json!({"suspend": true}))),
        ("SER0214", old),
        ("SER0214", metrics(json!({"name": "istio_requests_total", "threshold": 99}))),
        ("SER0301", metrics(json!({"name": "own", "templateRef": {"name": "own"}}))),
    ] {
        assert!(codes(&canary).contains(&code), "{code}: {:?} of {canary}", codes(&canary));
    }
    let both = [canary(&analysis(&json!({})), &json!({})), deployment("registry:5000/app")];
    assert_eq!(of(&both).findings[0].code, "SER0215");
    let mut other = both[0].clone();
    other["metadata"]["name"] = json!("other");
    let two = [both[0].clone(), other, deployment("app:1")];
    assert_eq!(of(&two).findings[0].code, "SER0108");
    let twice = [both[0].clone(), both[0].clone(), deployment("app:1")];
    assert!(of(&twice).findings.is_empty(), "one Canary in two files is one");
    assert_eq!(of(&both[..1]).findings[0].code, "SER0301");
}

#[test]
fn the_field_that_was_probably_meant_is_named_with_its_line() {
    let text = "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata:\n  name: app\nspec:\n  targetRef: {apiVersion: apps/v1, kind: Deployment, name: app}\n  service: {port: 80}\n  analysis:\n    interval: 1m\n    stepWeigth: 10\n    metrics: []\n";
    let report = lint(&[Source { name: "canary.yaml".into(), text: text.into() }], &["SER0301".into()]);
    let finding = &report.findings.iter().find(|f| f.code == "SER0101").unwrap();
    assert_eq!((finding.line, finding.level, finding.object.as_str()), (10, Level::Error, "Canary app"));
    assert_eq!(
        finding.message,
        "spec.analysis.stepWeigth is no field that is known: the API server drops it; stepWeight is probably meant"
    );
    assert!(report.findings.iter().all(|f| f.code != "SER0301"), "ignored");
}

#[test]
fn findings_are_ignored_by_code_and_object() {
    let of = |text: &str| {
        let all = json!([canary(&analysis(&json!({})), &json!({}))]);
        let text_of = json!({"kind": "List", "items": all}).to_string();
        lint(&[Source { name: "a".into(), text: text_of }], &[text.to_owned()]).findings.len()
    };
    assert_eq!((of("SER0301"), of("SER0301=shop/app"), of("SER0301=app")), (0, 0, 0));
    assert_eq!((of("SER0301=test/app"), of("SER0102")), (1, 1));
}

/// Anything that the operator accepts has no findings, except about objects outside the files.
#[test]
fn the_examples_have_no_findings() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/examples");
    let mut canaries = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "yaml") {
            continue;
        }
        let source =
            Source { name: path.display().to_string(), text: std::fs::read_to_string(&path).unwrap() };
        let report = lint(&[source], &["SER0301".into()]);
        assert!(report.findings.is_empty() && report.unreadable.is_empty(), "{report:#?}");
        canaries += report.canaries;
    }
    assert!(canaries > 20, "{canaries}");
}

#[test]
fn codes_are_each_there_once() {
    let mut all: Vec<_> = CODES.iter().map(|(code, ..)| *code).collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn every_code_is_in_the_docs() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/kubectl-canary.md");
    let page = std::fs::read_to_string(page).unwrap();
    for (code, level, about) in CODES {
        let row = format!("| `{code}` | {} | {about} |", level.word());
        assert!(page.lines().any(|line| line == row), "docs/kubectl-canary.md lacks {row}");
    }
}

/// Any file content gets an answer.
#[test]
fn nothing_that_is_no_canary_breaks_it() {
    for text in [
        "",
        "---\n---\n",
        "[]",
        "1",
        "kind: Canary",
        "apiVersion: flagger.app/v1beta1\nkind: Canary",
        "a: &a [*a]",
        "\u{0}",
    ] {
        let report = lint(&[Source { name: "x".into(), text: text.into() }], &[]);
        assert!(report.canaries <= 1);
    }
}
