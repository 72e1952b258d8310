//! One look at a namespace, without watching.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module reads the cluster")]

use std::collections::BTreeSet;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client, ResourceExt,
    api::{DynamicObject, ListParams},
};

use super::{
    cache::ObjectCache,
    optional::needed,
    watch::{Metadata, insert, mandatory, untyped},
};
use crate::{
    config::Rules,
    manifest::{config, pod_policies},
    names,
    snapshot::{CANARY_RUN, JOB, Key, Kind, METRIC_TEMPLATE, POD, SECRET},
};

/// Lists everything of one namespace once, for a look without watching. `provider` is that of Canaries that name none.
///
/// # Errors
/// The first list that the API server refuses.
pub(crate) async fn list_once(
    client: &Client,
    namespace: &str,
    rules: &Rules,
    cache: &ObjectCache,
) -> kube::Result<()> {
    let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
    let known: BTreeSet<String> =
        crds.list_metadata(&ListParams::default()).await?.items.iter().map(ResourceExt::name_any).collect();
    for kind in mandatory(rules) {
        list(client, namespace, kind, cache).await?;
    }
    for kind in needed(cache, &rules.mesh_provider, &known) {
        match list(client, namespace, kind, cache).await {
            // whoever looks may not see them, and nothing is decided from them
            Err(kube::Error::Api(no)) if kind == CANARY_RUN && no.is_forbidden() => {}
            // without them it can be told what waits for a Job, and not how far that is
            Err(kube::Error::Api(no)) if [JOB, POD].contains(&kind) && no.is_forbidden() => {
                cache.forbid(kind);
            }
            // only advice rests on them
            Err(kube::Error::Api(no)) if pod_policies::KINDS.contains(&kind) && no.is_forbidden() => {
                cache.forbid(kind);
            }
            listed => listed?,
        }
    }
    cache.set_crds(known);
    for other in cache.templates_elsewhere(namespace) {
        list_into_cache(client, &other, METRIC_TEMPLATE, cache).await?;
        if rules.config_tracking {
            list_into_cache(client, &other, SECRET, cache).await?;
        }
    }
    Ok(())
}

async fn list(client: &Client, namespace: &str, kind: Kind, cache: &ObjectCache) -> kube::Result<()> {
    let seen = list_into_cache(client, namespace, kind, cache).await?;
    cache.listed(kind, &seen);
    Ok(())
}

/// Takes in what a namespace has of one kind.
async fn list_into_cache(
    client: &Client,
    namespace: &str,
    kind: Kind,
    cache: &ObjectCache,
) -> kube::Result<BTreeSet<Key>> {
    let mut seen = BTreeSet::new();
    if config::KINDS.contains(&kind) {
        let api: Api<Metadata> = untyped(client, kind, Some(namespace));
        for object in api.list(&ListParams::default()).await? {
            seen.insert((object.namespace().unwrap_or_default(), object.name_any()));
            insert(cache, kind, &object);
        }
    } else {
        let api: Api<DynamicObject> = untyped(client, kind, Some(namespace));
        let of_ours = [JOB, POD].contains(&kind).then(|| names::LABEL_METRIC.to_owned());
        for object in api.list(&ListParams { label_selector: of_ours, ..ListParams::default() }).await? {
            seen.insert((object.namespace().unwrap_or_default(), object.name_any()));
            insert(cache, kind, &object);
        }
    }
    Ok(seen)
}
