//! One read of a namespace, without watching.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module reads the cluster")]

use std::collections::BTreeSet;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;

use super::{
    cache::ObjectCache,
    optional::needed,
    stream::{Collection, Object, Page, Pages, Selection, Undecodable},
    watch::{insert, insert_undecodable, mandatory, selector},
};
use crate::{
    config::Rules,
    manifest::pod_policies,
    snapshot::{CANARY_RUN, JOB, Key, Kind, METRIC_TEMPLATE, POD, SECRET},
};

/// Lists everything of one namespace once. `provider` is the default provider.
///
/// # Errors
/// The first list that the API server refuses.
pub(crate) async fn list_once(
    client: &Client,
    namespace: &str,
    rules: &Rules,
    cache: &ObjectCache,
) -> kube::Result<()> {
    let mut known = BTreeSet::new();
    let crds = Collection::typed::<CustomResourceDefinition>(client, None).metadata();
    each(crds, &Selection::default(), |crd| {
        known.insert(crd.key.1);
    })
    .await?;
    for kind in mandatory(rules) {
        list(client, namespace, kind, cache).await?;
    }
    for kind in needed(cache, &rules.mesh_provider, &known) {
        match list(client, namespace, kind, cache).await {
            // the operator may not see them, and no decision depends on them
            Err(kube::Error::Api(no)) if kind == CANARY_RUN && no.is_forbidden() => {}
            // without them, it is known what waits for a Job, but not the Job's progress
            Err(kube::Error::Api(no)) if [JOB, POD].contains(&kind) && no.is_forbidden() => {
                cache.forbid(kind);
            }
            // they are only used for advice
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

/// Stores the objects of one kind in a namespace.
async fn list_into_cache(
    client: &Client,
    namespace: &str,
    kind: Kind,
    cache: &ObjectCache,
) -> kube::Result<BTreeSet<Key>> {
    let mut seen = BTreeSet::new();
    each(Collection::of(client, kind, Some(namespace)), &selector(kind), |object| {
        seen.insert(object.key.clone());
        let version = object.number();
        let Object { key, content, lacking, .. } = object;
        match lacking {
            None => insert(cache, kind, content),
            Some(why) => {
                insert_undecodable(cache, kind, Undecodable { key, version, listed: true, content, why })
            }
        };
    })
    .await?;
    Ok(seen)
}

/// Lists these, and passes on each of them.
async fn each(
    collection: Collection,
    selection: &Selection,
    mut take: impl FnMut(Object),
) -> kube::Result<()> {
    let mut pages = Pages::new(collection, selection.list_params());
    loop {
        let text = pages.text().await?;
        let page = Page::of(&text).ok_or_else(|| kube::Error::Service("the answer is no list".into()))?;
        page.items.iter().for_each(|item| take(Object::of(item)));
        if !pages.turn(&page) {
            return Ok(());
        }
    }
}
