//! What each Canary names, by which the objects that matter to it are known.

use serde_json::Value;

use crate::{
    api::TargetRef,
    names,
    spec::{Target, keep_in_use},
};

/// What a Canary looks at, read loosely so that it works for one that does not decode.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct References {
    /// `spec.targetRef.name`.
    pub target: String,
    /// Its kind; none for one that is not served.
    pub kind: Option<Target>,
    /// `spec.service.name`, or the target's.
    pub apex: String,
    /// `spec.autoscalerRef.name`, empty for none.
    pub scaler: String,
    /// MetricTemplates as `namespace/name`.
    pub templates: Vec<String>,
    /// AlertProviders as `namespace/name`.
    pub alert_providers: Vec<String>,
    /// ConfigMaps and Secrets that its target uses, as the status has them, and Secrets that its metrics name, by
    /// `config::key`.
    pub configs: Vec<String>,
    /// `spec.provider`; empty when the Canary leaves it to the operator.
    pub provider: String,
}

/// What two Canaries cannot both have.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Contested {
    /// The workload of this name.
    Target(String),
    /// The apex Service.
    Apex,
}

impl References {
    /// Reads it.
    pub(super) fn of(canary: &Value, namespace: &str) -> Self {
        let mut kept = None;
        if !canary["status"]["inUse"].is_null() {
            keep_in_use(kept.insert(canary.clone()), "");
        }
        let canary = kept.as_ref().unwrap_or(canary);
        let spec = &canary["spec"];
        let target = spec["targetRef"]["name"].as_str().unwrap_or_default().to_owned();
        let kind = serde_json::from_value::<TargetRef>(spec["targetRef"].clone()).ok();
        let kind = kind.as_ref().and_then(Target::named);
        let apex = spec["service"]["name"].as_str().filter(|n| !n.is_empty()).unwrap_or(&target).to_owned();
        let analysis = if spec["analysis"].is_object() { &spec["analysis"] } else { &spec["canaryAnalysis"] };
        let named = |list: &str, reference: &str| -> Vec<String> {
            let all = analysis[list].as_array().into_iter().flatten().map(|item| &item[reference]);
            let full = |at: &Value| {
                let namespace = at["namespace"].as_str().filter(|n| !n.is_empty()).unwrap_or(namespace);
                Some(format!("{namespace}/{}", at["name"].as_str()?))
            };
            all.filter_map(full).collect()
        };
        let (templates, alert_providers) = (named("metrics", "templateRef"), named("alerts", "providerRef"));
        let configs = canary["status"]["observedConfigs"].as_object().into_iter().flatten();
        let args = analysis["metrics"].as_array().into_iter().flatten();
        let args = args.flat_map(|m| m["args"].as_array().into_iter().flatten());
        let args = args.filter_map(|arg| arg["valueFrom"]["secretKeyRef"]["name"].as_str());
        let configs = configs.map(|(key, _)| key.clone());
        let configs = configs.chain(args.map(|name| format!("secret/{name}"))).collect();
        let scaler = spec["autoscalerRef"]["name"].as_str().unwrap_or_default().to_owned();
        let provider = spec["provider"].as_str().unwrap_or_default().to_owned();
        Self { target, kind, apex, scaler, templates, alert_providers, configs, provider }
    }

    /// What both want, if anything.
    pub(super) fn contests(&self, other: &Self) -> Option<Contested> {
        if (self.kind, &self.target) == (other.kind, &other.target) {
            Some(Contested::Target(self.target.clone()))
        } else {
            (self.apex == other.apex).then_some(Contested::Apex)
        }
    }

    /// Names of the Services in front of it.
    pub(super) fn services(&self) -> [String; 3] {
        [self.apex.clone(), names::primary(&self.apex), names::canary(&self.apex)]
    }
}
