//! PURE. Lists what changes for Flagger's Canaries when Serin replaces it: per object, with the values of that object.
//! `docs/migrating-from-flagger.md` explains the reasons.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serin::{
    api::Canary,
    config::Rules,
    spec::{Strategy, Validated, validate},
};

use crate::lint::{self, Source};

/// Flagger's shortest interval between checks, in seconds.
const FLAGGERS_SHORTEST: u64 = 10;

/// What becomes of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// Nothing.
    Same,
    /// It works in another way.
    Differs,
    /// It is not acted on before it is corrected.
    Refused,
}

impl Change {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs => "differs",
            Self::Refused => "refused",
        }
    }
}

/// A line about an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Remark {
    /// How much it matters.
    pub change: Change,
    /// About which object, as in `Canary app.shop`.
    pub object: String,
    /// What is different.
    pub text: String,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Migration {
    /// Object by object.
    pub remarks: Vec<Remark>,
    /// Files, with why they cannot be read.
    pub unreadable: Vec<String>,
    /// How many Canaries there were.
    pub canaries: usize,
}

impl Migration {
    /// The number of remarks of this kind.
    pub fn count(&self, change: Change) -> usize {
        self.remarks.iter().filter(|remark| remark.change == change).count()
    }
}

/// Checks all files.
pub fn flagger(sources: &[Source]) -> Migration {
    let mut found = Migration::default();
    let report = lint::lint(sources, &["SER0301".into()]);
    found.unreadable.clone_from(&report.unreadable);
    found.canaries = report.canaries;
    let objects = sources.iter().filter_map(|source| lint::objects(source).ok()).flatten();
    for object in objects.filter(is_flaggers) {
        let name = lint::title(&object);
        let refused = report.findings.iter().filter(|f| f.object == name && f.level == lint::Level::Error);
        let mut own: Vec<Remark> = refused.map(|f| remark(Change::Refused, &name, &f.message)).collect();
        let texts = match object["kind"].as_str().unwrap_or_default() {
            "Canary" => {
                serde_json::from_value(object.clone()).map(|canary| of_canary(&canary)).unwrap_or_default()
            }
            "MetricTemplate" => of_template(&object["spec"]),
            _ => vec![],
        };
        own.extend(texts.iter().map(|text| remark(Change::Differs, &name, text)));
        if own.is_empty() {
            own.push(remark(Change::Same, &name, ""));
        }
        own.sort_by_key(|remark| std::cmp::Reverse(remark.change));
        found.remarks.extend(own);
    }
    found
}

fn is_flaggers(object: &Value) -> bool {
    object["apiVersion"].as_str().is_some_and(|version| version.starts_with("flagger.app/"))
}

fn remark(change: Change, object: &str, text: &str) -> Remark {
    Remark { change, object: object.to_owned(), text: text.to_owned() }
}

fn of_canary(canary: &Canary) -> Vec<String> {
    let rules = Rules::default();
    let Ok(c) = validate(canary, &rules) else { return vec![] };
    let mut all = Vec::new();
    all.extend(weights(&c));
    all.extend(mirrored(&c));
    if c.interval.as_secs() < FLAGGERS_SHORTEST {
        let seconds = c.interval.as_secs_f64();
        all.push(format!(
            "a look is taken every {seconds} s; Flagger took one every {FLAGGERS_SHORTEST} s at most"
        ));
    }
    let built_in = |name: &str| matches!(name, "request-success-rate" | "request-duration");
    if c.provider == "istio" && c.analysis.reporter.is_none() && c.metrics.iter().any(|m| built_in(&m.name)) {
        all.push("the built-in checks read the callers' reports of requests as well; spec.analysis.reporter: destination reads what Flagger read".into());
    }
    if !c.metrics.is_empty() {
        let queries = "an answer that is an error freezes the run and is no failed check";
        all.push(format!("{queries}; of several series each has to pass"));
    }
    let silent = |alert: &&serin::api::CanaryAlert| alert.severity.as_deref().unwrap_or_default().is_empty();
    let silent: Vec<&str> =
        c.analysis.alerts.iter().filter(silent).map(|alert| alert.name.as_str()).collect();
    if !silent.is_empty() {
        all.push(format!("alerts without a severity get everything, and not nothing: {}", silent.join(", ")));
    }
    match c.spec.revert_on_deletion {
        None => all.push("when it is deleted the target is scaled up and serves; with Flagger it stays at 0 pods (spec.revertOnDeletion)".into()),
        Some(false) => all.push("when it is deleted all that was made stays and serves (spec.revertOnDeletion: false)".into()),
        Some(true) => {}
    }
    all
}

/// Weights that Flagger raises above the maximum.
fn weights(c: &Validated) -> Option<String> {
    let (step, max) = (c.analysis.step_weight.unwrap_or(0), c.analysis.max_weight.unwrap_or(100));
    if c.strategy != Strategy::Weighted || step <= 0 || max <= 0 || max % step == 0 {
        return None;
    }
    let own: Vec<String> = c.schedule.iter().filter(|s| !s.mirrored).map(|s| s.weight.to_string()).collect();
    let last = (max / step + 1) * step;
    Some(format!("its weights are {}; Flagger went on to {}", own.join(" "), last.min(100)))
}

/// Mirrored requests for which Flagger waits.
fn mirrored(c: &Validated) -> Option<String> {
    let waits = c.provider.starts_with("gatewayapi")
        && c.analysis.mirror == Some(true)
        && c.strategy == Strategy::Weighted;
    waits.then(|| "copies of requests are made before the first weight; Flagger waits there for ever".into())
}

fn of_template(spec: &Value) -> Vec<String> {
    let text = match spec["provider"]["type"].as_str().unwrap_or_default() {
        "influxdb" => "a query without rows is no data; with Flagger it is 0",
        "datadog" => "the newest value counts; with Flagger the oldest of ten windows",
        "graphite" => "each series has to pass; with Flagger the last one counts",
        "stackdriver" | "cloudwatch" | "newrelic" | "splunk" | "dynatrace" => {
            "of several series each has to pass, and the worst is reported"
        }
        _ => return vec![],
    };
    vec![text.into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(spec: &str) -> Vec<(Change, String)> {
        let text = format!(
            "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {{name: app, namespace: shop}}\nspec:\n  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: app}}\n  service: {{port: 80}}\n{spec}"
        );
        let found = flagger(&[Source { name: "a".into(), text }]);
        assert_eq!(found.canaries, 1);
        found.remarks.into_iter().map(|remark| (remark.change, remark.text)).collect()
    }

    fn says(all: &[(Change, String)], change: Change, words: &str) -> bool {
        all.iter().any(|(is, text)| *is == change && text.contains(words))
    }

    #[test]
    fn what_differs_is_said_with_the_values_of_the_object() {
        let all = of(
            "  provider: istio\n  analysis: {interval: 5s, stepWeight: 20, maxWeight: 70, alerts: [{name: chat, providerRef: {name: chat}}], metrics: [{name: request-success-rate, thresholdRange: {min: 99}}]}\n",
        );
        for words in [
            "its weights are 20 40 60 70; Flagger went on to 80",
            "every 5 s",
            "reporter: destination",
            "chat",
            "stays at 0 pods",
            "freezes the run",
        ] {
            assert!(says(&all, Change::Differs, words), "{words}: {all:?}");
        }
    }

    #[test]
    fn what_is_not_served_is_refused_first() {
        let all = of(
            "  provider: kubernetes\n  revertOnDeletion: true\n  analysis: {interval: 1m, stepWeight: 10, maxWeight: 50}\n",
        );
        assert_eq!(all[0].0, Change::Refused);
        assert!(all[0].1.contains("stepWeight"), "{all:?}");
    }

    #[test]
    fn what_stays_as_it_is_is_said_to() {
        let all = of(
            "  provider: istio\n  revertOnDeletion: true\n  analysis: {interval: 1m, stepWeight: 10, maxWeight: 50}\n",
        );
        assert_eq!(all, [(Change::Same, String::new())]);
        let template = "apiVersion: flagger.app/v1beta1\nkind: MetricTemplate\nmetadata: {name: m}\nspec: {provider: {type: influxdb, address: 'http://x', secretRef: {name: x}}, query: q}\n";
        let found = flagger(&[Source { name: "a".into(), text: template.into() }]);
        assert_eq!((found.count(Change::Differs), found.canaries), (1, 0));
    }
}
