//! API calls of one undisturbed rollout, by strategy.

use futures::future::try_join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use serin::api::Phase;

use super::{
    common::{Bench, LIMIT},
    figure::Figure,
    fleet,
    record::Key,
};
use serin_bed::{Traffic, wait};

/// A strategy: its name, which is also the namespace, a description, and its changes to the usual objects.
struct Way {
    name: &'static str,
    what: &'static str,
    edit: fn(&mut Vec<Value>),
}

/// The usual objects: a Deployment, and a Canary with five weights.
const WAYS: [Way; 8] = [
    Way { name: "weights", what: "stepWeight 10, maxWeight 50", edit: |_| () },
    Way {
        name: "steps",
        what: "steps of 10, 20, 30, 40, 50 %",
        edit: |all| {
            let steps = [10, 20, 30, 40, 50].map(|weight| json!({"weight": weight}));
            analysis(all, &json!({"steps": steps}), true);
        },
    },
    Way {
        name: "a-b",
        what: "A/B, 5 iterations",
        edit: |all| {
            let named = json!([{"headers": {"x-canary": {"exact": "insider"}}}]);
            analysis(all, &json!({"iterations": 5, "match": named}), true);
        },
    },
    Way {
        name: "blue-green",
        what: "blue/green, 5 iterations",
        edit: |all| analysis(all, &json!({"iterations": 5}), true),
    },
    Way {
        name: "mirror",
        what: "copies, then stepWeight 10, maxWeight 50",
        edit: |all| analysis(all, &json!({"mirror": true}), false),
    },
    Way {
        name: "affinity",
        what: "stepWeight 10, maxWeight 50, with both cookies",
        edit: |all| {
            let cookies = json!({"cookieName": "canary", "primaryCookieName": "primary"});
            analysis(all, &json!({"sessionAffinity": cookies}), false);
        },
    },
    Way {
        name: "autoscaler",
        what: "stepWeight 10, maxWeight 50, with an autoscaler",
        edit: |all| fleet::scaled(APP, all),
    },
    Way {
        name: "configs",
        what: "stepWeight 10, maxWeight 50, with 2 ConfigMaps and 2 Secrets",
        edit: |all| fleet::tracking(APP, all),
    },
];

const APP: &str = "app";

/// Sets these fields in the Canary's analysis, instead of weights or in addition to them.
fn analysis(all: &mut [Value], fields: &Value, in_place: bool) {
    let analysis = &mut all[1]["spec"]["analysis"];
    if in_place {
        analysis.as_object_mut().map(|old| (old.remove("stepWeight"), old.remove("maxWeight")));
    }
    for (field, value) in fields.as_object().into_iter().flatten() {
        analysis[field] = value.clone();
    }
}

/// One value for each strategy. Flagger's is known for the first.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let mut figures = try_join_all(WAYS.iter().map(|way| rollout(bench, way))).await?;
    if let Some(first) = figures.first_mut() {
        *first = first.clone().target(44.0).flagger(171.7, "");
    }
    Ok(figures)
}

async fn rollout(bench: &Bench, way: &Way) -> anyhow::Result<Figure> {
    let namespace = format!("rollout-{}", way.name);
    let keys: [Key; 1] = [(namespace.clone(), APP.to_owned())];
    bench.bed.namespace(&namespace).await?;
    let mut objects = fleet::objects(APP, "5s", 2);
    (way.edit)(&mut objects);
    bench.bed.apply(&namespace, objects).await?;
    reached(bench, &keys[0], Phase::Initialized).await?;
    bench.quiet_about(|request| request.namespace == namespace).await?;
    bench.bed.scripted().traffic(&namespace, APP, Traffic::success(100.0, 50.0));
    let from = Timestamp::now();
    fleet::release(bench.bed.admin(), &keys).await?;
    reached(bench, &keys[0], Phase::Succeeded).await?;
    bench.quiet_about(|request| request.namespace == namespace).await?;
    let calls = bench.requests(from)?.beyond_watches().within(&namespace);
    let how =
        "audit log, from the change of the image to the last Event; 2 metrics, interval 5s; Events included";
    let mut figure =
        Figure::new(format!("API calls per rollout: {}", way.what), how, calls.count() as f64, "");
    for (kind, count) in calls.by_kind() {
        figure = figure.detail(format!("{count} {kind}"));
    }
    let refused = calls.only(|request| request.code >= 400).count();
    Ok(figure.detail(format!("of these refused, and so in vain: {refused}")))
}

async fn reached(bench: &Bench, key: &Key, phase: Phase) -> anyhow::Result<()> {
    let what = format!("{} to be {phase}", key.0);
    wait::until(&what, LIMIT, async || (bench.record.last(key).phase == Some(phase)).then_some(())).await
}
