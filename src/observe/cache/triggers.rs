//! Which Canaries an object bears on.

use serde_json::Value;

use super::{Inner, Key, References};
use crate::{
    manifest::{self, config},
    names,
    snapshot::{
        ALERT_PROVIDER, CANARY, CANARY_RUN, DAEMONSET, DEPLOYMENT, HPA, JOB, Kind, METRIC_TEMPLATE,
        ObjectRef, POD, REVISION, SCALED_OBJECT, SECRET,
    },
};

impl Inner {
    /// The Canaries that an object matters to.
    pub(super) fn touched(&self, kind: Kind, key: &Key, object: &Value) -> Vec<Key> {
        if kind == CANARY {
            return vec![key.clone()];
        }
        if kind == METRIC_TEMPLATE {
            let name = format!("{}/{}", key.0, key.1);
            let refers = |i: &References| i.templates.contains(&name);
            return self.interests.iter().filter(|(_, i)| refers(i)).map(|(k, _)| k.clone()).collect();
        }
        if kind == ALERT_PROVIDER {
            let name = format!("{}/{}", key.0, key.1);
            let refers = |i: &References| i.alert_providers.contains(&name);
            return self.interests.iter().filter(|(_, i)| refers(i)).map(|(k, _)| k.clone()).collect();
        }
        if [CANARY_RUN, JOB, POD].contains(&kind) {
            return self.within(&key.0, |canary, _| manifest::ours(object, &canary.1));
        }
        if kind.cluster_wide() {
            return self.named_everywhere(&key.1);
        }
        if config::KINDS.contains(&kind) {
            let name = config::key(&ObjectRef::new(kind, key.1.clone()));
            let mut touched = self.within(&key.0, |canary, interest| {
                interest.configs.contains(&name) || manifest::ours(object, &canary.1)
            });
            if kind == SECRET {
                touched.extend(self.asking_with(key));
            }
            return touched;
        }
        let of = object["metadata"]["labels"][names::LABEL_TEMPLATE_OF].as_str();
        self.interested(&key.0, |interest| match kind {
            DEPLOYMENT | DAEMONSET => key.1 == interest.target || key.1 == names::primary(&interest.target),
            REVISION => of == Some(names::label_value(&names::primary(&interest.target)).as_str()),
            HPA | SCALED_OBJECT => {
                let whom = object["spec"]["scaleTargetRef"]["name"].as_str().unwrap_or_default();
                interest.scaled_by(&key.1, whom)
            }
            // Services, and most routing objects, are named after the apex
            _ => interest.services().contains(&key.1),
        })
        .into_iter()
        .chain(self.looked.at(kind, key))
        .collect()
    }

    pub(super) fn interested(&self, namespace: &str, hit: impl Fn(&References) -> bool) -> Vec<Key> {
        self.within(namespace, |_, interest| hit(interest))
    }

    pub(super) fn within(&self, namespace: &str, hit: impl Fn(&Key, &References) -> bool) -> Vec<Key> {
        let from = (namespace.to_owned(), String::new());
        let within = self.interests.range(from..).take_while(|(key, _)| key.0 == namespace);
        within.filter(|(key, interest)| hit(key, interest)).map(|(key, _)| key.clone()).collect()
    }

    /// Other Canaries of the namespace that want the same target or apex.
    pub(super) fn rivals(&self, key: &Key, interest: &References) -> Vec<Key> {
        let mut all = self.interested(&key.0, |i| i.same_target(interest) || i.apex == interest.apex);
        all.retain(|k| k != key);
        all
    }

    /// The Canaries that have this Service.
    pub(super) fn served_by(&self, namespace: &str, service: Option<String>) -> Vec<Key> {
        let Some(service) = service else { return vec![] };
        self.interested(namespace, |interest| interest.services().contains(&service))
    }
}
