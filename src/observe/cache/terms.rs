//! The terms by which an object is found, in addition to its name.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    analysis::job,
    manifest::{
        self, json as get,
        pod_policies::{self, Reach},
    },
    names, router,
    snapshot::{
        CANARY_RUN, CONFIG_MAP, DAEMONSET, DEPLOYMENT, HPA, JOB, Kind, METRIC_TEMPLATE, POD, REVISION,
        SCALED_OBJECT, SECRET, SERVICE,
    },
};

/// The term of a MetricTemplate that is a Job.
pub(super) const OF_JOBS: &str = "job";

/// The term of a policy that may affect any pods of its namespace.
pub(super) const ANY: &str = "any";
/// Prefix of the term of policies for the same pods.
pub(super) const ALIKE: &str = "for:";
/// Prefix of the term of those that admit any pods.
pub(super) const OPEN: &str = "open:";

/// The terms of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Terms {
    /// In its namespace.
    pub(super) here: Vec<String>,
    /// In its namespace, by any one of each list, because readers use all of them.
    pub(super) one_of: Vec<Vec<String>>,
    /// In all namespaces.
    pub(super) anywhere: Vec<String>,
}

/// The term of objects with the label of this Canary.
pub(super) fn owned_by(canary: &str) -> String {
    names::label_value(canary)
}

/// The term of a workload whose pods have this label.
pub(super) fn labelled(key: &str, value: &str) -> String {
    format!("{key}={value}")
}

impl Terms {
    /// The terms of an object: the Canary that it belongs to, the workload that it scales, the labels of its pods or of
    /// those that it selects, the Secret that it names, the hosts that it serves.
    pub(super) fn of(kind: Kind, object: &Value) -> Self {
        let here: Vec<String> = match kind {
            CANARY_RUN | CONFIG_MAP | JOB | POD | REVISION | SECRET | SERVICE => {
                get::label(object, names::LABEL_CANARY).map(str::to_owned).into_iter().collect()
            }
            HPA | SCALED_OBJECT => {
                object["spec"]["scaleTargetRef"]["name"].as_str().map(str::to_owned).into_iter().collect()
            }
            DEPLOYMENT | DAEMONSET => {
                let labels = get::strings(&object["spec"]["template"]["metadata"]["labels"]);
                labels.into_iter().map(|(key, value)| labelled(&key, &value)).collect()
            }
            METRIC_TEMPLATE => {
                let secret = &object["spec"]["provider"]["secretRef"]["name"];
                secret.as_str().map(str::to_owned).into_iter().collect()
            }
            kind if pod_policies::KINDS.contains(&kind) => return of_policy(kind, object),
            kind if router::all().iter().any(|router| router.read_by_mark().contains(&kind)) => {
                get::label(object, names::LABEL_CANARY).map(str::to_owned).into_iter().collect()
            }
            _ => vec![],
        };
        let anywhere = if kind == METRIC_TEMPLATE && object["spec"]["provider"]["type"] == job::KIND {
            vec![OF_JOBS.to_owned()]
        } else if router::all().iter().any(|router| router.bystanders().contains(&kind)) {
            router::bystander_terms(object)
        } else {
            vec![]
        };
        // those that Serin has made or taken over are found by their names and labels
        let others = kind == SERVICE && !manifest::marked(object);
        let led = if others { Reach::of(kind, object).selectors } else { vec![] };
        Self { here, one_of: led.iter().map(all_of).collect(), anywhere }
    }
}

fn all_of(labels: &BTreeMap<String, String>) -> Vec<String> {
    labels.iter().map(|(key, value)| labelled(key, value)).collect()
}

/// Terms of a NetworkPolicy or PodDisruptionBudget.
fn of_policy(kind: Kind, object: &Value) -> Terms {
    let reach = Reach::of(kind, object);
    let mut terms = Terms::default();
    for labels in &reach.selectors {
        if labels.is_empty() {
            terms.here.push(ANY.to_owned());
        } else {
            terms.one_of.push(all_of(labels));
        }
    }
    terms.here.push(format!("{ALIKE}{}", reach.holds_for));
    if reach.open {
        terms.here.push(format!("{OPEN}{}", reach.holds_for));
    }
    terms.here.sort_unstable();
    terms.here.dedup();
    terms
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::snapshot::INGRESS;

    #[test]
    fn objects_are_found_by_what_they_belong_to() {
        let here = |kind, object: Value| Terms::of(kind, &object).here;
        let labels = json!({"app": "a", "tier": "web", "n": 1});
        let workload = json!({"spec": {"template": {"metadata": {"labels": labels}}}});
        assert_eq!(here(DEPLOYMENT, workload), ["app=a", "tier=web"]);
        assert_eq!(here(HPA, json!({"spec": {"scaleTargetRef": {"name": "app"}}})), ["app"]);
        let owned = json!({"metadata": {"labels": {names::LABEL_CANARY: "app"}}});
        assert_eq!(here(REVISION, owned), [owned_by("app")]);
        assert!(here(REVISION, json!({})).is_empty());
        let template = json!({"spec": {"provider": {"type": job::KIND, "secretRef": {"name": "login"}}}});
        let terms = Terms::of(METRIC_TEMPLATE, &template);
        assert_eq!((terms.here, terms.anywhere), (vec!["login".to_owned()], vec![OF_JOBS.to_owned()]));
        let ingress = json!({"spec": {"rules": [{"host": "a.example.org"}]}});
        assert_eq!(Terms::of(INGRESS, &ingress).anywhere, [".example.org", ".org", "a.example.org"]);
        let gloo = router::by_name("gloo").unwrap().bystanders()[0];
        let to = json!({"kube": {"ref": {"name": "app", "namespace": "n"}}});
        let table = json!({"spec": {"routes": [{"routeAction": {"single": to}}]}});
        assert_eq!(Terms::of(gloo, &table).anywhere, ["app.n"]);
    }
}
