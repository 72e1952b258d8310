//! Snapshots of conversions, and properties of all conversions.

use std::{collections::BTreeSet, fs, path::Path};

use insta::assert_snapshot;
use serde_json::Value;

use super::{
    table::{Kind, row},
    *,
};

const FIXTURES: [&str; 8] =
    ["blue-green", "gateway", "headers", "istio", "nginx", "refused", "shares", "traefik"];

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/argo/{name}.yaml"));
    fs::read_to_string(path).unwrap()
}

fn of(text: &str) -> Conversion {
    argo(&[Source { name: "a.yaml".into(), text: text.into() }])
}

fn of_objects(objects: &[Value]) -> Conversion {
    of(&serde_json::json!({"kind": "List", "items": objects}).to_string())
}

fn yaml(objects: &[Value]) -> String {
    let documents = objects.iter().map(|object| format!("---\n{}", serde_saphyr::to_string(object).unwrap()));
    documents.collect::<Vec<_>>().concat()
}

#[test]
fn what_is_made_of_each_example() {
    for name in FIXTURES {
        assert_snapshot!(format!("argo-{name}"), yaml(&of(&text(name)).objects));
    }
}

#[test]
fn what_is_made_passes_the_operators_own_validation() {
    for name in FIXTURES {
        let done = of(&text(name));
        let source = Source { name: name.into(), text: yaml(&done.objects) };
        let report = lint::lint(&[source], &["SER0301".into()]);
        assert_eq!(report.count(lint::Level::Error), 0, "{name}: {:#?}", report.findings);
        assert!(report.unreadable.is_empty(), "{name}: {:?}", report.unreadable);
        let wanted = match name {
            "refused" => 0,
            "traefik" => 2,
            _ => 1,
        };
        assert_eq!(report.canaries, wanted, "{name}: {:#?}", done.notes);
    }
}

#[test]
fn what_is_refused_is_not_converted_at_all() {
    let done = of(&text("refused"));
    assert!(done.objects.is_empty(), "{}", yaml(&done.objects));
    assert_eq!(done.rollouts, 2);
    for field in [
        "trafficRouting.alb",
        "pingPong",
        "steps[1].plugin",
        "provider.kayenta",
        "provider.wavefront",
        "provider.skywalking",
        "provider.plugin",
        "prometheus.rangeQuery",
        "prometheus.authentication",
        "web.jsonBody",
        "web.method",
        "datadog.formula",
        "templates[1]",
        "steps[3].pause.duration",
        "spec.metrics[4].successCondition",
    ] {
        let refused = |note: &&Note| note.level == Level::Refused && note.field.ends_with(field);
        assert!(done.notes.iter().any(|note| refused(&note)), "{field}: {:#?}", done.notes);
    }
    let left: BTreeSet<&str> =
        done.notes.iter().filter(|n| n.level == Level::LeftOut).map(|n| n.object.as_str()).collect();
    assert!(left.contains("Experiment try.shop") && left.contains("AnalysisRun run.shop"), "{left:?}");
}

/// The paths of all scalar values of an object.
fn leaves(value: &Value, place: &str, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                let escaped = name.replace('~', "~0").replace('/', "~1");
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(value, &format!("{place}/{escaped}"), &path, found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (i, item) in items.iter().enumerate() {
                leaves(item, &format!("{place}/{i}"), &format!("{path}[]"), found);
            }
        }
        _ => found.push((place.to_owned(), path.to_owned())),
    }
}

fn kind_of(object: &Value) -> Option<Kind> {
    match object["kind"].as_str()? {
        "Rollout" => Some(Kind::Rollout),
        "AnalysisTemplate" | "ClusterAnalysisTemplate" => Some(Kind::AnalysisTemplate),
        _ => None,
    }
}

/// The object without one of its fields.
fn without(object: &Value, place: &str) -> Value {
    let mut other = object.clone();
    let (above, name) = place.rsplit_once('/').unwrap();
    match other.pointer_mut(above).unwrap() {
        Value::Object(fields) => {
            fields.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        Value::Array(items) => {
            items.remove(name.parse().unwrap());
        }
        _ => {}
    }
    other
}

/// Fields with defaults equal to the values in the examples.
const SAME: [&str; 11] = [
    "apiVersion",
    "kind",
    // replaced by the Deployment's version
    "metadata.annotations.rollout.argoproj.io/revision",
    "spec.metrics[].provider.datadog.apiVersion",
    "spec.metrics[].provider.web.method",
    // files without a namespace match templates in any namespace
    "metadata.namespace",
    // declared in the template, given in the analysis
    "spec.args[].name",
    "spec.strategy.canary.trafficRouting.plugins.argoproj-labs/gatewayAPI.namespace",
    "spec.strategy.canary.steps[].setMirrorRoute.name",
    "spec.strategy.canary.steps[].setHeaderRoute.name",
    "spec.strategy.canary.trafficRouting.istio.virtualServices[].routes[]",
];

/// Checks the list: a converted field changes the result. Any other field is reported and does not change it.
#[test]
fn the_list_says_what_the_conversion_does() {
    let mut seen = BTreeSet::new();
    for name in FIXTURES.into_iter().filter(|name| *name != "refused") {
        let source = Source { name: name.into(), text: text(name) };
        let objects = lint::objects(&source).unwrap();
        let whole = of_objects(&objects);
        for (i, object) in objects.iter().enumerate() {
            let Some(kind) = kind_of(object).filter(|_| object["metadata"]["name"] != "alone") else {
                continue;
            };
            let mut found = Vec::new();
            leaves(object, "", "", &mut found);
            for (place, path) in found.iter().filter(|(_, path)| !SAME.contains(&path.as_str())) {
                let mut all = objects.clone();
                all[i] = without(object, place);
                let other = of_objects(&all);
                let (row, _) = row(kind, path).unwrap_or_else(|| panic!("{name}: no row of {path}"));
                seen.insert((kind, path.clone()));
                let same = other.objects == whole.objects;
                if row.level.is_none() {
                    let told = other.notes != whole.notes;
                    assert!(!same || told, "{name}: {path} is called converted, and changes nothing");
                } else {
                    assert!(same, "{name}: {path} is not converted, and changes the result");
                    let named = whole
                        .notes
                        .iter()
                        .any(|note| Some(note.level) == row.level && note.text == row.reason);
                    assert!(named, "{name}: {path} is not named");
                }
            }
        }
    }
    assert!(seen.len() > 130, "{}", seen.len());
}

#[test]
fn limits_and_times_mean_what_they_meant() {
    let done = of(&text("istio"));
    let canary = done.objects.iter().find(|object| object["kind"] == "Canary").unwrap();
    let analysis = &canary["spec"]["analysis"];
    let steps: Vec<_> = analysis["steps"].as_array().unwrap().iter().map(Value::to_string).collect();
    assert_eq!(
        steps,
        [
            r#"{"hold":"3m","weight":10}"#,
            r#"{"hold":"2m","weight":30}"#,
            r#"{"gate":{},"weight":50}"#,
            // a pause after a gate is a step of its own
            r#"{"hold":"30s","weight":50}"#,
            r#"{"weight":80}"#,
        ]
    );
    let rate = &analysis["metrics"][0];
    assert_eq!((rate["failureLimit"].as_i64(), rate["startAtStep"].as_i64()), (Some(3), Some(1)));
    assert_eq!((&rate["period"], &rate["consecutiveErrorLimit"]), (&"10s".into(), &2.into()));
    assert_eq!(rate["successCondition"], "len(result) > 0 && result[0] >= 0.8");
    let slow = &analysis["metrics"][1];
    // the defaults of Argo Rollouts
    assert_eq!((slow["failureLimit"].as_i64(), slow["consecutiveErrorLimit"].as_i64()), (Some(0), Some(4)));
    assert_eq!((&slow["noData"], &slow["dryRun"]), (&"error".into(), &true.into()));
    // the metric's own limit is reached before the shared one
    assert_eq!(analysis["threshold"], 4);
    assert_eq!(analysis["interval"], "10s");
}

#[test]
fn the_rest_of_the_users_route_stays_as_it_is() {
    let done = of(&text("istio"));
    let given = lint::objects(&Source { name: "x".into(), text: text("istio") }).unwrap();
    let find = |all: &[Value]| all.iter().find(|o| o["kind"] == "VirtualService").cloned().unwrap();
    let (mut before, after) = (find(&given), find(&done.objects));
    assert_eq!(
        after["spec"]["http"][1]["route"],
        serde_json::json!([{"destination": {"host": "messenger", "port": {"number": 80}}}])
    );
    before["spec"]["http"][1]["route"] = after["spec"]["http"][1]["route"].clone();
    assert_eq!(before, after);
}

#[test]
fn whatever_is_given_there_is_an_answer() {
    for text in [
        "",
        "kind: Rollout",
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout",
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {strategy: {canary: {steps: 3, trafficRouting: [1]}}}",
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {strategy: {blueGreen: {prePromotionAnalysis: {templates: [{}]}}}}",
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {template: [], selector: 4, strategy: {canary: {analysis: {templates: x}}}}",
    ] {
        let done = of(text);
        assert!(done.objects.is_empty() || done.count(Level::Refused) > 0 || done.rollouts == 0, "{done:?}");
    }
}

#[test]
fn a_promotion_that_waits_for_a_person_does_so_whatever_its_seconds_are() {
    let seconds = |enabled: &str| {
        let whole = text("blue-green");
        of(&whole.replace("autoPromotionEnabled: false", &format!("{enabled}autoPromotionSeconds: 300")))
    };
    let promotion = |done: &Conversion| {
        let canary = done.objects.iter().find(|object| object["kind"] == "Canary").unwrap();
        canary["spec"]["analysis"]["promotion"].clone()
    };
    let manual = seconds("autoPromotionEnabled: false\n      ");
    assert_eq!(promotion(&manual), serde_json::json!({"switch": true, "mode": "manual"}));
    let noted = |note: &&notes::Note| {
        note.level == Level::LeftOut && note.field == "spec.strategy.blueGreen.autoPromotionSeconds"
    };
    assert!(manual.notes.iter().any(|note| noted(&note)), "{:#?}", manual.notes);
    for enabled in ["", "autoPromotionEnabled: true\n      "] {
        let timed = seconds(enabled);
        assert_eq!(promotion(&timed), serde_json::json!({"switch": true, "after": "300s"}), "{enabled}");
        assert!(!timed.notes.iter().any(|note| noted(&note)), "{:#?}", timed.notes);
    }
}
