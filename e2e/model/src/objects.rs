//! Objects as scenarios define them.

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use serin::snapshot::{
    CANARY_RUN, CONFIG_MAP, DAEMONSET, DEPLOYMENT, ENDPOINTS, HPA, INGRESS, JOB, KNATIVE_SERVICE, Kind,
    METRIC_TEMPLATE, ObjectRef, REVISION, Rival, SCALED_OBJECT, SECRET, SERVICE,
};

use crate::{
    route,
    time::start,
    world::{NAMESPACE, World},
};

const KINDS: [Kind; 15] = [
    DEPLOYMENT,
    DAEMONSET,
    SERVICE,
    REVISION,
    CONFIG_MAP,
    SECRET,
    HPA,
    SCALED_OBJECT,
    route::VIRTUAL_SERVICE,
    route::DESTINATION_RULE,
    ENDPOINTS,
    INGRESS,
    KNATIVE_SERVICE,
    CANARY_RUN,
    JOB,
];

/// The kind for its name in scenarios: the kind's own name, except for Knative's Service.
pub(crate) fn kind_named(name: &str) -> Option<Kind> {
    if name == "KnativeService" {
        return Some(KNATIVE_SERVICE);
    }
    KINDS.into_iter().find(|kind| kind.kind == name)
}

/// Older Canaries with the usual target.
pub(crate) fn rivals(names: &[String]) -> Vec<Rival> {
    let one = |name: &String| Rival {
        name: name.clone(),
        uid: "uid-0".into(),
        created: Some(start() - SignedDuration::from_hours(1)),
        wants: ObjectRef::new(DEPLOYMENT, "podinfo"),
        derived: false,
    };
    names.iter().map(one).collect()
}

/// Adds an object to the world.
pub(crate) fn put(world: &mut World, object: &Value, now: Timestamp) -> Result<()> {
    if object["kind"] == METRIC_TEMPLATE.kind {
        let name = object["metadata"]["name"].as_str().context("a MetricTemplate without a name")?;
        let spec = serde_json::from_value(object["spec"].clone()).context("a MetricTemplate")?;
        world.templates.insert(format!("{NAMESPACE}/{name}"), spec);
        return Ok(());
    }
    let kind = object["kind"].as_str().and_then(kind_named).context("an object of no known kind")?;
    world.put(kind, object.clone(), now);
    Ok(())
}
