//! The references of each Canary, by which the objects that affect it are found.

use serde_json::Value;

use crate::{
    api::TargetRef,
    manifest, names, router,
    snapshot::{ObjectRef, Rival, SERVICE},
    spec::{Target, keep_in_use},
};

/// The references of a Canary, read tolerantly so that this works for one that does not decode.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct References {
    /// `spec.targetRef.name`.
    pub target: String,
    /// Its kind; none for a kind that is not served.
    pub kind: Option<Target>,
    /// `spec.service.name`, or the target's.
    pub apex: String,
    /// `spec.autoscalerRef.name`, empty for none.
    pub scaler: String,
    /// MetricTemplates as `namespace/name`.
    pub templates: Vec<String>,
    /// AlertProviders as `namespace/name`.
    pub alert_providers: Vec<String>,
    /// ConfigMaps and Secrets that its target uses, according to the status, and Secrets that its metrics name, by
    /// `config::key`.
    pub configs: Vec<String>,
    /// `spec.provider`; empty if the Canary uses the default.
    pub provider: String,
    /// `spec.service.hosts`.
    pub hosts: Vec<String>,
    /// Routes that it writes and whose names follow from its references, by their providers; all providers, if the
    /// operator's default applies.
    pub routes: Vec<(&'static str, ObjectRef)>,
    /// Checksum of the unchanged `spec.service`, which Canaries that serve the same hosts look at.
    pub service: String,
}

/// An object that two Canaries cannot share.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Contested {
    /// The object.
    pub at: ObjectRef,
    /// It is the target of both, or the apex Service of both; otherwise one of them derives its name.
    pub same: bool,
}

impl Contested {
    /// The other Canary, as a snapshot has it.
    pub(super) fn rival(self, other: &Value) -> Rival {
        let meta = &other["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Rival {
            name: text(&meta["name"]),
            uid: text(&meta["uid"]),
            created: meta["creationTimestamp"].as_str().and_then(|t| t.parse().ok()),
            wants: self.at,
            derived: !self.same,
        }
    }
}

/// The other Canaries in the namespace that claim an object of this one. `provider`: the operator's default.
pub fn rivals(canary: &Value, others: &[&Value], namespace: &str, provider: &str) -> Vec<Rival> {
    let of = |canary: &Value| References::of(canary, namespace).routed_by(provider);
    let own = of(canary);
    others.iter().filter_map(|other| Some(own.contests(&of(other))?.rival(other))).collect()
}

impl References {
    /// Reads it.
    pub(super) fn of(canary: &Value, namespace: &str) -> Self {
        let (mut kept, service) = (None, manifest::checksum(&canary["spec"]["service"]));
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
        let hosts = spec["service"]["hosts"].as_array().into_iter().flatten();
        let hosts = hosts.filter_map(Value::as_str).map(str::to_owned).collect();
        let routes = router::named_routes(&provider, spec, &apex);
        Self {
            target,
            kind,
            apex,
            scaler,
            templates,
            alert_providers,
            configs,
            provider,
            hosts,
            routes,
            service,
        }
    }

    /// An object that both claim, if any: first those that users name, then derived ones.
    pub(super) fn contests(&self, other: &Self) -> Option<Contested> {
        let (ours, theirs) = (self.objects(), other.objects());
        let same = ours[..2].iter().zip(&theirs).find(|(ours, theirs)| ours == theirs);
        if let Some((at, _)) = same {
            return Some(Contested { at: at.clone(), same: true });
        }
        let derived = ours.into_iter().find(|at| theirs.contains(at))?;
        Some(Contested { at: derived, same: false })
    }

    /// All objects under its names: the target and the apex first.
    pub(super) fn objects(&self) -> Vec<ObjectRef> {
        let target = self.kind.unwrap_or_default();
        let service = |name: &String| ObjectRef::new(SERVICE, name.clone());
        let mut all = vec![ObjectRef::new(target.kind(), self.target.clone()), service(&self.apex)];
        if !target.holds_both() {
            all.push(ObjectRef::new(target.kind(), names::primary(&self.target)));
            all.extend(self.services()[1..].iter().map(service));
        }
        all.extend(self.routes.iter().map(|(_, at)| at.clone()));
        all
    }

    /// The same with `provider` as the default: without the routes of other providers.
    pub(super) fn routed_by(&self, provider: &str) -> Self {
        let mut routed = self.clone();
        if routed.provider.is_empty() {
            routed.routes.retain(|(of, _)| *of == provider);
        }
        routed
    }

    /// Names of the Services in front of it.
    pub(super) fn services(&self) -> [String; 3] {
        [self.apex.clone(), names::primary(&self.apex), names::canary(&self.apex)]
    }
}
