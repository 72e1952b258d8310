//! Reads the target's images, and sets them as the user asks.

use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::Value;
use serin::{api::Canary, names, snapshot::REVISION};

use super::{
    connect::{Cluster, MANAGER},
    slots::{self, Slot},
};
use crate::failure::{Asked, Failure};

fn slot(canary: &Canary) -> Result<(Slot, &str), Failure> {
    let target = &canary.spec.target_ref;
    let kind = slots::target_kind(canary).ok_or_else(|| {
        Failure::failed(format!(
            "targets of the kind {} of {} are not served",
            target.kind, target.api_version
        ))
    })?;
    let namespace = canary.metadata.namespace.clone();
    Ok((Slot { kind, namespace, labels: None, fields: None }, &target.name))
}

/// Reads the target.
pub(crate) async fn read_target(cluster: &Cluster, canary: &Canary) -> Result<DynamicObject, Failure> {
    let (slot, name) = slot(canary)?;
    let resource = slots::resource(slot.kind);
    let asked =
        Asked { verb: "get", resource: &resource, namespace: slot.namespace.as_deref(), name: Some(name) };
    slot.api(&cluster.client).get(name).await.map_err(|error| asked.failure(&error))
}

/// Reads the stored templates of a Canary.
pub(crate) async fn read_revisions(cluster: &Cluster, canary: &Canary) -> Result<Vec<Value>, Failure> {
    let name = canary.metadata.name.as_deref().unwrap_or_default();
    let labels = format!("{}={}", names::LABEL_CANARY, names::label_value(name));
    let namespace = canary.metadata.namespace.clone();
    let slot = Slot { kind: REVISION, namespace, labels: Some(labels), fields: None };
    let resource = slots::resource(REVISION);
    let asked = Asked { verb: "list", resource: &resource, namespace: slot.namespace.as_deref(), name: None };
    let listed =
        slot.api(&cluster.client).list(&slot.params()).await.map_err(|error| asked.failure(&error))?;
    Ok(listed.items.iter().map(|object| slot.value(object)).collect())
}

/// Replaces the target's template, if the target has not changed since it was read.
pub(crate) async fn write_template(
    cluster: &Cluster,
    canary: &Canary,
    patch: &Value,
    dry_run: bool,
) -> Result<(), Failure> {
    let operations = serde_json::from_value(patch.clone())
        .map_err(|error| Failure::failed(format!("cannot write the patch: {error}")))?;
    patched(cluster, canary, &Patch::<Value>::Json(operations), dry_run).await
}

/// Patches the target with a strategic merge patch.
pub(crate) async fn write_images(
    cluster: &Cluster,
    canary: &Canary,
    patch: &Value,
    dry_run: bool,
) -> Result<(), Failure> {
    patched(cluster, canary, &Patch::Strategic(patch.clone()), dry_run).await
}

async fn patched(
    cluster: &Cluster,
    canary: &Canary,
    patch: &Patch<Value>,
    dry_run: bool,
) -> Result<(), Failure> {
    let (slot, name) = slot(canary)?;
    let resource = slots::resource(slot.kind);
    let asked =
        Asked { verb: "patch", resource: &resource, namespace: slot.namespace.as_deref(), name: Some(name) };
    let params = PatchParams { field_manager: Some(MANAGER.into()), dry_run, ..PatchParams::default() };
    let written = slot.api(&cluster.client).patch(name, &params, patch).await;
    written.map(drop).map_err(|error| asked.failure(&error))
}

/// The stored templates of a Canary, newest first, with their hashes.
pub(crate) async fn stored_templates(
    cluster: &Cluster,
    canary: &Canary,
) -> Result<Vec<(String, Value)>, Failure> {
    let namespace = canary.metadata.namespace.clone();
    let name = canary.metadata.name.as_deref().unwrap_or_default();
    let labels = Some(format!("{}={}", names::LABEL_CANARY, names::label_value(name)));
    let slot = Slot { kind: REVISION, namespace, labels, fields: None };
    let resource = slots::resource(REVISION);
    let asked = Asked { verb: "list", resource: &resource, namespace: slot.namespace.as_deref(), name: None };
    let listed = slot.api(&cluster.client).list(&slot.params()).await;
    let mut all = listed.map_err(|error| asked.failure(&error))?.items;
    all.sort_by_key(|revision| std::cmp::Reverse(revision.data["revision"].as_i64()));
    let one = |revision: &DynamicObject| {
        let data = &revision.data["data"];
        Some((data["hash"].as_str()?.to_owned(), data["template"].clone()))
    };
    Ok(all.iter().filter_map(one).collect())
}
