//! Jobs of metrics and their pods: watched by a label of ours, once some MetricTemplate is a Job. Only the state of
//! pods is kept.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{store::ObjectCache, terms::OF_JOBS};
use crate::{
    analysis::job::KIND,
    api::MetricTemplateSpec,
    observe::{availability::Availability, error::GatherError},
    snapshot::{JOB, Key, METRIC_TEMPLATE, Objects, POD},
};

/// Removes parts that no decision reads.
pub(super) fn drop_spec(pod: &mut Value) {
    if let Some(pod) = pod.as_object_mut() {
        pod.remove("spec");
    }
}

/// The Jobs of a Canary and their pods.
pub(crate) fn gather(
    cache: &ObjectCache,
    key: &Key,
    templates: &BTreeMap<String, MetricTemplateSpec>,
    objects: &mut Objects,
    available: &mut Availability,
) -> Result<(), GatherError> {
    let needed = templates.values().any(|template| template.provider.type_ == KIND);
    for kind in [JOB, POD] {
        let synced = cache.listed_in(kind, &key.0);
        if !synced && !needed {
            continue;
        }
        if available.may_not_list(cache, kind) {
            available.forbidden.push(kind.crd());
        } else {
            available.listed(cache, kind)?;
        }
        for object in cache.owned(kind, key) {
            objects.share(kind, object);
        }
    }
    Ok(())
}

impl ObjectCache {
    /// Some MetricTemplate is a Job.
    pub(crate) fn has_jobs(&self) -> bool {
        let inner = self.lock();
        let templates = inner.objects.get(&METRIC_TEMPLATE);
        templates.is_some_and(|templates| templates.anywhere(OF_JOBS).next().is_some())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{names, snapshot::CANARY};

    fn object(name: &str, labels: &Value) -> Value {
        json!({"metadata": {"name": name, "namespace": "n", "resourceVersion": "1", "labels": labels}})
    }

    #[test]
    fn jobs_matter_to_their_canary_and_are_asked_for_only_where_there_are_some() {
        let cache = ObjectCache::default();
        let mut canary = object("app", &json!({}));
        canary["spec"] = json!({"targetRef": {"name": "app"}});
        cache.insert(CANARY, canary);
        let mut template = object("warm-up", &json!({}));
        template["spec"] = json!({"provider": {"type": "prometheus"}, "query": "up{job=\"x\"}"});
        cache.insert(METRIC_TEMPLATE, template.clone());
        assert!(!cache.has_jobs());
        template["spec"]["provider"]["type"] = json!(KIND);
        template["metadata"]["resourceVersion"] = json!("2");
        cache.insert(METRIC_TEMPLATE, template);
        assert!(cache.has_jobs());

        let own: Vec<Key> = vec![("n".into(), "app".into())];
        let mut pod = object("p", &json!({names::LABEL_CANARY: "app"}));
        pod["spec"] = json!({"containers": []});
        assert_eq!(cache.insert(JOB, object("j", &json!({names::LABEL_CANARY: "app"}))), own);
        assert!(cache.insert(JOB, object("k", &json!({names::LABEL_CANARY: "other"}))).is_empty());
        assert_eq!(cache.insert(POD, pod.clone()), own);
        assert_eq!(cache.get(POD, "n", "p").unwrap()["spec"], Value::Null);

        let spec: MetricTemplateSpec =
            serde_json::from_value(json!({"provider": {"type": KIND}, "job": {"spec": {}}})).unwrap();
        let gather = |templates: &BTreeMap<String, MetricTemplateSpec>| {
            let (mut objects, mut available) =
                (Objects::default(), Availability::at(jiff::Timestamp::UNIX_EPOCH, "n"));
            super::gather(&cache, &own[0], templates, &mut objects, &mut available)
                .map(|()| (objects, available.forbidden))
        };
        let none = gather(&BTreeMap::new()).unwrap();
        assert_eq!(none.0.of(JOB).count(), 0);
        let some = [("n/warm-up".to_owned(), spec)].into();
        assert!(matches!(gather(&some), Err(GatherError::Behind("jobs"))));
        cache.forbid(JOB);
        cache.forbid(POD);
        assert_eq!(gather(&some).unwrap().1, ["jobs.batch", "pods."]);
        cache.set_crds(std::collections::BTreeSet::new());
        for (kind, name) in [(JOB, "j"), (POD, "p")] {
            cache.listed(kind, &[("n".to_owned(), name.to_owned())].into());
        }
        let (objects, _) = gather(&some).unwrap();
        assert_eq!((objects.of(JOB).count(), objects.of(POD).count()), (1, 1));
    }
}
