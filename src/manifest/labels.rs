//! Which labels and annotations of users are copied to generated objects.

use serde_json::{Map, Value};

use super::marks;
use crate::names;

/// Domains of the keys by which tools recognise the objects they have applied: Argo CD, Flux, Helm, kapp, Jenkins X,
/// Rancher, kubectl's ApplySets, kpt, Config Sync, Skaffold, werf, Kluctl, Tanka, qbec, kubecfg, Spinnaker, the add-on
/// manager. They delete objects with such a key that are not in their source. is not in their source, they delete.
const TRACKING: [&str; 22] = [
    "argoproj.io",
    "fluxcd.io",
    "helm.sh",
    "kapp.k14s.io",
    "jenkins.io",
    "jenkins-x.io",
    "cattle.io",
    "applyset.kubernetes.io",
    "config.kubernetes.io",
    "config.k8s.io",
    "cli-utils.sigs.k8s.io",
    "configsync.gke.io",
    "configmanagement.gke.io",
    "kpt.dev",
    "skaffold.dev",
    "werf.io",
    "kluctl.io",
    "tanka.dev",
    "qbec.io",
    "ksonnet.io",
    "spinnaker.io",
    "addonmanager.kubernetes.io",
];

/// Keys with the same purpose but without a domain of their own: Argo CD's default label, Helm's, and the add-on
/// manager's.
const TRACKING_KEYS: [&str; 3] =
    ["app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "kubernetes.io/cluster-service"];

/// Domains of the keys that make other controllers change the workload: Reloader, Wave, Keel.
const ACTING: [&str; 3] = ["stakater.com", "wave.pusher.com", "keel.sh"];

/// Prefix of the environment variables by which Reloader restarts a workload.
const RELOADER_ENV: &str = "STAKATER_";

/// A tool that applies objects recognises its own by this key.
pub(crate) fn is_tracking(key: &str) -> bool {
    TRACKING_KEYS.contains(&key) || of_domain(key, &TRACKING)
}

/// This key makes a controller change the object.
pub(super) fn is_acting(key: &str) -> bool {
    of_domain(key, &ACTING)
}

fn of_domain(key: &str, domains: &[&str]) -> bool {
    let Some((domain, _)) = key.split_once('/') else { return false };
    domains.iter().any(|d| domain.strip_suffix(d).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

/// Whether a key starts with one of `prefixes`, of which `*` is any. Keys by which tools recognise what they have
/// applied and the mark of a Canary are never copied; keys by which others act only if a prefix names them.
pub(super) fn included(key: &str, prefixes: &[String]) -> bool {
    let named = |p: &String| !p.is_empty() && p != "*" && key.starts_with(p.as_str());
    let any = |p: &String| p == "*" && !is_acting(key);
    !is_tracking(key) && key != names::LABEL_CANARY && prefixes.iter().any(|p| any(p) || named(p))
}

/// The labels of a copy of `source` by which a tool would treat it as its own, set to null, whatever an earlier version
/// left.
pub(crate) fn untracked(source: &Value) -> Map<String, Value> {
    // Flux's keys have never been copied
    let keys = marks::labels(source).into_keys().filter(|key| is_tracking(key) && !key.contains(names::FLUX));
    keys.map(|key| (key, Value::Null)).collect()
}

/// An element of a container's `env` by which Reloader has restarted it.
pub(super) fn restarts(element: &Value) -> bool {
    element["name"].as_str().is_some_and(|name| name.starts_with(RELOADER_ENV))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r5_no_tracking_key_goes_along() {
        let all = ["*".to_owned(), "app.kubernetes.io".to_owned(), "argocd".to_owned()];
        for key in [
            "app.kubernetes.io/instance",
            "app.kubernetes.io/managed-by",
            "argocd.argoproj.io/instance",
            "argocd.argoproj.io/tracking-id",
            "kustomize.toolkit.fluxcd.io/name",
            "helm.toolkit.fluxcd.io/name",
            "helm.sh/chart",
            "meta.helm.sh/release-name",
            "kapp.k14s.io/app",
            "jenkins.io/chart-release",
            "gitops.jenkins-x.io/pipeline",
            "objectset.rio.cattle.io/hash",
            "applyset.kubernetes.io/part-of",
            "kluctl.io/discriminator",
            "tanka.dev/environment",
            "qbec.io/environment",
            "kubecfg.ksonnet.io/garbage-collect-tag",
            "moniker.spinnaker.io/application",
            "addonmanager.kubernetes.io/mode",
            names::LABEL_CANARY,
        ] {
            assert!(!included(key, &all), "{key}");
        }
        for key in
            ["app.kubernetes.io/name", "app.kubernetes.io/version", "team", "nothelm.sh/x", "argoproj.io"]
        {
            assert!(included(key, &all), "{key}");
        }
    }

    #[test]
    fn r22_keys_by_which_others_act_go_along_only_where_they_are_named() {
        let (any, named) = (["*".to_owned()], ["configmap.reloader".to_owned()]);
        let key = "configmap.reloader.stakater.com/reload";
        assert!(!included(key, &any) && included(key, &named) && !included("keel.sh/policy", &any));
    }
}
