//! Plan → cluster: the status first, then the actions in order, stopping at the first that fails. For an urgent plan
//! each action is tried, even if others fail.
//!
//! # Guarantees
//! Every write is bound to the version of the object it was decided on (creations by POST, patches by
//! `resourceVersion`, deletions by uid), so a plan made from an old snapshot is refused, not mixed in. The result of a
//! write is in the [`ObjectCache`] before the next snapshot is taken. No write is retried here: a refused one means
//! that the cluster has changed, and the caller decides again.
//!
//! # Caveats
//! A call that was not answered in time may still take effect; the next decision sees it then. For a status, the caller
//! has to find out whether it did: see [`is_stored`].
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module writes to the cluster")]

use std::{future::Future, sync::Arc};

use kube::{
    Api, Client, Resource as _, ResourceExt as _,
    api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions},
    core::Request,
};
use serde_json::{Value, json};

use crate::{
    api::{Canary, CanaryStatus},
    manifest::{
        Manifest,
        config::{self, CopyOf},
    },
    names::{LABEL_CANARY, managers},
    observe::ObjectCache,
    plan::{Action, Plan},
    snapshot::{CANARY, CANARY_RUN, DEPLOYMENT, JOB, Key, Kind, ObjectRef, REVISION, Write},
    write_budget::{Desired, Outcome},
};

mod error;
mod status;
#[cfg(test)]
mod tests;

pub(crate) use error::ApplyError;
use error::{CREATE, DEADLINE};
pub(crate) use status::is_stored;

/// How far a plan was carried out.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    /// The status was written: the decision stands, and may be reported.
    pub(crate) decided: bool,
    /// The result of each action that was tried.
    pub(crate) attempts: Vec<((Write, Desired), Outcome)>,
    /// The first write that failed, except those of records.
    pub(crate) failed: Option<ApplyError>,
    /// Why the record of a run could not be written.
    pub(crate) unrecorded: Option<ApplyError>,
}

fn outcome(done: &Result<(), ApplyError>) -> Outcome {
    let Err(error) = done else { return Outcome::Written };
    match error.permanent_refusal() {
        Some(why) => Outcome::Refused(why),
        None if error.is_conflict() => Outcome::Conflict(error.to_string()),
        None => Outcome::Failed(error.in_full()),
    }
}

/// Carries out plans.
#[derive(Clone)]
pub(crate) struct Applier {
    client: Client,
    cache: Arc<ObjectCache>,
}

impl Applier {
    /// An applier that writes through `client` and updates `cache`.
    pub(crate) fn new(client: Client, cache: Arc<ObjectCache>) -> Self {
        Self { client, cache }
    }

    /// Writes the plan's status, then its actions, up to the first that fails. The actions of an urgent plan are all
    /// tried, even if the status or another action fails: each of them takes users off a failing version.
    ///
    /// Records of runs come last, and nothing else depends on them.
    pub(crate) async fn carry_out(&self, canary: &Canary, plan: &Plan) -> Carried {
        let key: Key = (
            canary.metadata.namespace.clone().unwrap_or_default(),
            canary.metadata.name.clone().unwrap_or_default(),
        );
        let mut carried = Carried::default();
        if let Some(status) = &plan.status {
            match self.write_status(&key, canary, status).await {
                Ok(()) => carried.decided = true,
                Err(error) => carried.failed = Some(error),
            }
        }
        let (records, actions): (Vec<_>, Vec<_>) =
            plan.actions.iter().partition(|action| action.kind() == CANARY_RUN);
        for action in actions {
            if carried.failed.is_some() && !plan.urgent {
                break;
            }
            let done = self.execute(&key, canary, action).await;
            carried.attempts.push((action.attempt(&key.1), outcome(&done)));
            if let Err(error) = done {
                carried.failed.get_or_insert(error);
            }
        }
        if carried.failed.is_some() {
            return carried;
        }
        for action in records {
            let done = self.execute(&key, canary, action).await;
            carried.attempts.push((action.attempt(&key.1), outcome(&done)));
            if let Err(error) = done {
                carried.unrecorded = Some(error);
                break;
            }
        }
        carried
    }

    /// Sets the finalizers of a deleted Canary that does not decode.
    ///
    /// # Errors
    /// The write failed.
    pub(crate) async fn free(&self, key: &Key, raw: &Value, finalizers: &[String]) -> Result<(), ApplyError> {
        self.works_in(&key.0)?;
        let at = ObjectRef::new(CANARY, key.1.clone());
        let version = &raw["metadata"]["resourceVersion"];
        let patch = Patch::Merge(json!({"metadata": {"finalizers": finalizers, "resourceVersion": version}}));
        let params = PatchParams { field_manager: Some(managers::STATUS.into()), ..PatchParams::default() };
        let url = DynamicObject::url_path(&CANARY.resource(), Some(&key.0));
        let request = Request::new(url).patch(&key.1, &params, &patch);
        // the answer does not decode either
        let written =
            async { self.client.request_text(request.map_err(kube::Error::BuildRequest)?).await.map(drop) };
        call("patch", &at, written).await
    }

    async fn write_status(&self, key: &Key, canary: &Canary, new: &CanaryStatus) -> Result<(), ApplyError> {
        let Some(wanted) = status::patch(canary, new) else { return Ok(()) };
        self.works_in(&key.0)?;
        let object = ObjectRef::new(CANARY, key.1.clone());
        let params = PatchParams { field_manager: Some(managers::STATUS.into()), ..PatchParams::default() };
        let patch = Patch::Merge(&wanted);
        let api = self.api(CANARY, &key.0);
        let written = call("write the status of", &object, api.patch_status(&key.1, &params, &patch)).await?;
        self.update_cache(CANARY, &written);
        kept(wanted, &written)
    }

    /// Whether the installed definition keeps this status, after it once dropped it. Nothing is written.
    ///
    /// # Errors
    /// It still drops some of it, or there was no answer.
    pub(crate) async fn would_keep(&self, key: &Key, status: &Value) -> Result<(), ApplyError> {
        let object = ObjectRef::new(CANARY, key.1.clone());
        let params = PatchParams {
            field_manager: Some(managers::STATUS.into()),
            dry_run: true,
            ..PatchParams::default()
        };
        let sent = json!({"status": status});
        let (api, patch) = (self.api(CANARY, &key.0), Patch::Merge(&sent));
        let answer = call("try to write the status of", &object, api.patch_status(&key.1, &params, &patch));
        kept(sent.clone(), &answer.await?)
    }

    /// The operator may have let go of the namespace between two writes of a plan.
    fn works_in(&self, namespace: &str) -> Result<(), ApplyError> {
        let let_go = || ApplyError::LetGo { namespace: namespace.to_owned() };
        self.cache.works_in(namespace).then_some(()).ok_or_else(let_go)
    }

    async fn execute(&self, key: &Key, canary: &Canary, action: &Action) -> Result<(), ApplyError> {
        self.works_in(&key.0)?;
        match action {
            Action::Create(manifest) => self.create(&key.0, manifest).await,
            Action::Copy(of) => self.copy(&key.0, of).await,
            Action::Patch { at, manager, version, patch, .. } => {
                let mut patch = patch.clone();
                patch["metadata"]["resourceVersion"] = json!(version);
                self.patch(&key.0, at, manager, patch).await
            }
            Action::Scale { name, replicas, version } => self.scale(&key.0, name, *replicas, version).await,
            Action::Delete { at, uid } => self.delete(&key.0, at, uid).await,
            Action::Finalizers { list } => {
                let known = self.cache.get(CANARY, &key.0, &key.1);
                let version = known.as_ref().and_then(|c| c["metadata"]["resourceVersion"].as_str());
                let version = version.or(canary.metadata.resource_version.as_deref());
                let patch = json!({"metadata": {"finalizers": list, "resourceVersion": version}});
                let at = ObjectRef::new(CANARY, key.1.clone());
                self.patch(&key.0, &at, managers::STATUS, patch).await
            }
        }
    }

    async fn create(&self, namespace: &str, manifest: &Manifest) -> Result<(), ApplyError> {
        let at = ObjectRef::new(manifest.kind, manifest.name.clone());
        let mut body = manifest.to_create();
        if !manifest.kind.cluster_wide() {
            body["metadata"]["namespace"] = json!(namespace);
        }
        let Ok(object) = serde_json::from_value::<DynamicObject>(body) else {
            return Err(ApplyError::Conflict { verb: CREATE, object: at });
        };
        let params = PostParams { field_manager: Some(manifest.manager.into()), ..PostParams::default() };
        match call(CREATE, &at, self.api(manifest.kind, namespace).create(&params, &object)).await {
            Ok(made) => self.update_cache(manifest.kind, &made),
            Err(ApplyError::Conflict { .. }) if manifest.kind == JOB => {
                return Err(self.existing_job(namespace, &at, &object).await);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The existing Job. Jobs of others are not watched, so the next look would not see one.
    async fn existing_job(&self, namespace: &str, at: &ObjectRef, wanted: &DynamicObject) -> ApplyError {
        match call("read", at, self.api(at.kind, namespace).get(&at.name)).await {
            Ok(there) if there.labels().get(LABEL_CANARY) == wanted.labels().get(LABEL_CANARY) => {
                self.update_cache(at.kind, &there);
                ApplyError::Conflict { verb: CREATE, object: at.clone() }
            }
            Ok(_) => ApplyError::NameTaken { object: at.clone() },
            Err(error) => error,
        }
    }

    /// The content is read right before it is written, and checked against the one that was seen.
    async fn copy(&self, namespace: &str, of: &CopyOf) -> Result<(), ApplyError> {
        let source = call("read", &of.from, self.api(of.from.kind, namespace).get(&of.from.name)).await?;
        let source = serde_json::to_value(source).unwrap_or_default();
        match config::copy(&source, of) {
            Some(copy) => self.create(namespace, &copy).await,
            None => Err(ApplyError::Conflict { verb: "copy", object: of.from.clone() }),
        }
    }

    async fn patch(
        &self,
        namespace: &str,
        at: &ObjectRef,
        manager: &str,
        patch: Value,
    ) -> Result<(), ApplyError> {
        let params = PatchParams { field_manager: Some(manager.into()), ..PatchParams::default() };
        let api = self.api(at.kind, namespace);
        let written = call("patch", at, api.patch(&at.name, &params, &Patch::Merge(patch))).await?;
        self.update_cache(at.kind, &written);
        Ok(())
    }

    async fn scale(
        &self,
        namespace: &str,
        name: &str,
        replicas: i64,
        version: &str,
    ) -> Result<(), ApplyError> {
        let at = ObjectRef::new(DEPLOYMENT, name);
        let params = PatchParams { field_manager: Some(managers::SCALE.into()), ..PatchParams::default() };
        let patch = Patch::Merge(json!({
            "metadata": {"resourceVersion": version}, "spec": {"replicas": replicas}
        }));
        let api: Api<k8s_openapi::api::apps::v1::Deployment> =
            Api::namespaced(self.client.clone(), namespace);
        let scale = call("scale", &at, api.patch_scale(name, &params, &patch)).await?;
        // the answer is a Scale: the Deployment itself is known again when its watch has caught up
        if let Some(version) = scale.metadata.resource_version.and_then(|v| v.parse().ok()) {
            self.cache.floor(DEPLOYMENT, (namespace.to_owned(), name.to_owned()), version);
        }
        Ok(())
    }

    async fn delete(&self, namespace: &str, at: &ObjectRef, uid: &str) -> Result<(), ApplyError> {
        let preconditions = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::background() };
        match call("delete", at, self.api(at.kind, namespace).delete(&at.name, &params)).await {
            Ok(either) => {
                if let Some(object) = either.left() {
                    self.update_cache(at.kind, &object);
                } else if [REVISION, CANARY_RUN, JOB].contains(&at.kind) || config::KINDS.contains(&at.kind) {
                    self.forget(namespace, at);
                }
                Ok(())
            }
            Err(ApplyError::Refused { source, .. }) if not_found(&source) => {
                self.forget(namespace, at);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Certainly gone, even if the watch reports it later.
    fn forget(&self, namespace: &str, at: &ObjectRef) {
        if let Some(known) = self.cache.get(at.kind, namespace, &at.name) {
            self.cache.remove(at.kind, &known);
        }
    }

    fn update_cache(&self, kind: Kind, object: &DynamicObject) {
        if let Ok(object) = serde_json::to_value(object) {
            self.cache.insert(kind, object);
        }
    }

    fn api(&self, kind: Kind, namespace: &str) -> Api<DynamicObject> {
        let resource = kind.resource();
        if kind.cluster_wide() {
            Api::all_with(self.client.clone(), &resource)
        } else {
            Api::namespaced_with(self.client.clone(), namespace, &resource)
        }
    }
}

fn kept(mut sent: Value, written: &DynamicObject) -> Result<(), ApplyError> {
    match status::dropped(&sent, &written.data) {
        Some(field) => Err(ApplyError::Dropped { field, sent: sent["status"].take() }),
        None => Ok(()),
    }
}

fn not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_not_found())
}

async fn call<T>(
    verb: &'static str,
    object: &ObjectRef,
    request: impl Future<Output = kube::Result<T>>,
) -> Result<T, ApplyError> {
    let object = object.clone();
    match tokio::time::timeout(DEADLINE, request).await {
        Err(_) => Err(ApplyError::TimedOut { verb, object }),
        Ok(Ok(done)) => Ok(done),
        Ok(Err(kube::Error::Api(status)))
            if verb != "delete"
                && (status.is_conflict() || status.is_already_exists() || status.is_not_found()) =>
        {
            Err(ApplyError::Conflict { verb, object })
        }
        Ok(Err(source)) => Err(ApplyError::Refused { verb, object, source: Box::new(source) }),
    }
}
