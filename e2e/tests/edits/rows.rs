//! The edits of the page's tables.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::standing::{self, CHECK};
use serin_model::Sim;

/// What a Canary's spec has before the edit of this row.
pub(crate) fn before(row: &str) -> Value {
    let entry = |value: &str| json!([{"headers": {"x": {"exact": value}}}]);
    match row {
        "`analysis.match` (another)" | "`analysis.match` (removed)" => {
            json!({"analysis": {"match": entry("y")}})
        }
        "`analysis.always` (removed)" => json!({"analysis": {"always": entry("y")}}),
        "`analysis.metrics` (another order)" => json!({"analysis": {"metrics": metrics()}}),
        "`autoscalerRef` (removed)" => json!({"autoscalerRef": autoscaler("podinfo")}),
        _ => json!({}),
    }
}

/// Rows with the same text are played on the same release.
pub(crate) fn kind(row: &str) -> &str {
    let special =
        before(row) != json!({}) || ["`autoscalerRef` (added)", "`progressDeadlineSeconds`"].contains(&row);
    if special { row } else { "" }
}

/// What is true besides before the edit of this row.
pub(crate) fn prepare(row: &str, column: &str, sim: &mut Sim) {
    if row == "`autoscalerRef` (added)" {
        standing::is_scaled(sim);
    }
    let in_a_run = ["in a run", "at the gate of a step", "at the gate of the promotion"].contains(&column);
    if row == "`progressDeadlineSeconds`" && in_a_run {
        standing::loses_pods(sim);
    }
}

fn autoscaler(name: &str) -> Value {
    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": name})
}

fn metrics() -> Vec<Value> {
    vec![
        json!({"name": CHECK, "thresholdRange": {"min": 99}}),
        json!({"name": "request-duration", "thresholdRange": {"max": 500}}),
    ]
}

/// The edit of a row, as a merge patch of a spec like this.
pub(crate) fn edit(row: &str, spec: &Value) -> Result<Value> {
    if let Some(patch) = schedule(row) {
        return Ok(patch);
    }
    let analysis = |patch: Value| json!({"analysis": patch});
    let entry = |value: &str| json!([{"headers": {"x": {"exact": value}}}]);
    let reversed = || metrics().into_iter().rev().collect::<Vec<_>>();
    Ok(match row {
        "`analysis.mirror`" => analysis(json!({"mirror": true})),
        "`analysis.sessionAffinity` (added)" => {
            analysis(json!({"sessionAffinity": {"cookieName": "release"}}))
        }
        "`analysis.match` (added)" => analysis(json!({"match": entry("y")})),
        "`analysis.match` (another)" => analysis(json!({"match": entry("z")})),
        "`analysis.match` (removed)" => analysis(json!({"match": null})),
        "`analysis.always` (added)" => analysis(json!({"always": entry("y")})),
        "`analysis.always` (removed)" => analysis(json!({"always": null})),
        "`analysis.never` (added)" => analysis(json!({"never": entry("y")})),
        "`analysis.canaryReplicas` (added)" => analysis(json!({"canaryReplicas": 1})),
        "`analysis.threshold` (as many as have failed)" => analysis(json!({"threshold": 1})),
        "`analysis.metrics` (one added)" => analysis(json!({"metrics": metrics()})),
        "`analysis.metrics` (another order)" => analysis(json!({"metrics": reversed()})),
        "`analysis.metrics` (all removed)" => analysis(json!({"metrics": []})),
        "`analysis.webhooks` (one added)" => {
            let mut all = spec["analysis"]["webhooks"].as_array().cloned().unwrap_or_default();
            all.push(json!({"name": "smoke", "type": "rollout", "url": "http://tester.test/"}));
            analysis(json!({"webhooks": all}))
        }
        "`analysis.promotion` (manual)" => analysis(json!({"promotion": {"mode": "manual"}})),
        "`analysis` (invalid)" => analysis(json!({"promotion": {"mode": "sometimes"}})),
        "`skipAnalysis`" => json!({"skipAnalysis": true}),
        "`release`" => json!({"release": "2"}),
        "`suspend`" => json!({"suspend": true}),
        "`autoscalerRef` (added)" => json!({"autoscalerRef": autoscaler("podinfo")}),
        "`autoscalerRef` (removed)" => json!({"autoscalerRef": null}),
        "`autoscalerRef` (of none that exists)" => json!({"autoscalerRef": autoscaler("gone")}),
        "`progressDeadlineSeconds`" => json!({"progressDeadlineSeconds": 15}),
        "`canaryScaleDownDelay`" => json!({"canaryScaleDownDelay": "5m"}),
        "`service.port`" => json!({"service": {"port": 8080}}),
        "`service.targetPort`" => json!({"service": {"targetPort": 9898}}),
        "`service.portName`" => json!({"service": {"portName": "web"}}),
        "`service.portDiscovery`" => json!({"service": {"portDiscovery": true}}),
        "`service.name`" => json!({"service": {"name": "web"}}),
        "`provider`" => json!({"provider": "contour"}),
        "`targetRef`" => json!({"targetRef": {"name": "web"}}),
        other => bail!("the page has a row {other}, which this test does not know"),
    })
}

/// The edit of a row about steps: the schedule is replaced as a whole.
fn schedule(row: &str) -> Option<Value> {
    let patch = match row {
        "`analysis.interval`" => return Some(json!({"analysis": {"interval": "5s"}})),
        "`analysis.stepWeight` (larger)" => json!({"stepWeight": 50, "maxWeight": 100}),
        "`analysis.maxWeight` (below the weight)" => json!({"stepWeight": 10, "maxWeight": 10}),
        "`analysis.stepWeights` in place of `stepWeight`" => json!({"stepWeights": [30, 60]}),
        "`analysis.iterations` in place of weights" => json!({"iterations": 3}),
        "`analysis.steps` in place of weights" => json!({"steps": [{"weight": 30}, {"weight": 60}]}),
        _ => return None,
    };
    let mut whole = json!({"stepWeight": null, "stepWeights": null, "maxWeight": null, "steps": null});
    json_patch::merge(&mut whole, &patch);
    for (key, value) in patch.as_object().into_iter().flatten() {
        whole[key] = value.clone();
    }
    Some(json!({"analysis": whole}))
}
