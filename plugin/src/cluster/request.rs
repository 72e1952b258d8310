//! Requests: writes the annotation, and waits for the answer in the status.

use std::hash::{BuildHasher as _, RandomState};

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use serin::{
    api::{Canary, RequestStatus, request::Request},
    names,
    snapshot::CANARY,
};

use super::{
    connect::{Cluster, MANAGER},
    slots,
};
use crate::failure::{Asked, Failure};

/// A request that has been written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) id: String,
    /// The value of the annotation.
    pub(crate) text: String,
}

impl Written {
    pub(crate) fn of(request: &Request) -> Self {
        Self { id: request.id.clone(), text: json!(request).to_string() }
    }

    /// The patch. The uid protects another Canary of the same name, and the version a Canary that has changed.
    pub(crate) fn patch(&self, canary: &Canary) -> Value {
        json!({"metadata": {
            "uid": canary.metadata.uid,
            "resourceVersion": canary.metadata.resource_version,
            "annotations": {names::ANNOTATION_REQUEST: self.text},
        }})
    }
}

/// A unique id.
pub(crate) fn id(verb: &str) -> String {
    format!("{verb}-{:08x}", RandomState::new().hash_one(verb) as u32)
}

/// The user as the API server sees them, or the local user if it does not answer.
pub(crate) async fn asks_by(cluster: &Cluster) -> String {
    let api: Api<SelfSubjectReview> = Api::all(cluster.client.clone());
    let review = api.create(&PostParams::default(), &SelfSubjectReview::default()).await.ok();
    let user = review.and_then(|review| review.status).and_then(|status| status.user_info?.username);
    user.unwrap_or_else(|| cluster.user.clone())
}

/// Writes a request. Returns false if the Canary has changed since it was read.
pub(crate) async fn write(cluster: &Cluster, canary: &Canary, written: &Written) -> Result<bool, Failure> {
    let (namespace, name) = (
        canary.metadata.namespace.as_deref().unwrap_or_default(),
        canary.metadata.name.as_deref().unwrap_or_default(),
    );
    let params = PatchParams { field_manager: Some(MANAGER.into()), ..PatchParams::default() };
    let patch = Patch::Merge(written.patch(canary));
    match cluster.canaries(namespace).patch(name, &params, &patch).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(no)) if no.code == 409 => Ok(false),
        Err(error) => {
            let resource = slots::resource(CANARY);
            let asked =
                Asked { verb: "patch", resource: &resource, namespace: Some(namespace), name: Some(name) };
            Err(asked.failure(&error))
        }
    }
}

/// The answer to a request, if there is one. An operator that cannot read the request answers with an id of its own.
pub(crate) fn answer<'c>(canary: &'c Canary, written: &Written) -> Option<&'c RequestStatus> {
    let answer = canary.status.as_ref()?.request.as_ref()?;
    let unreadable = Request::id_of_unreadable(&written.text);
    (answer.id == written.id || answer.id == unreadable).then_some(answer)
}
