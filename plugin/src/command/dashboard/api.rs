//! What the page reads: the views that `-o json` prints, with the rights of whoever started it.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde_json::json;
use serin::api::Canary;

use super::page::{Page, Refused, answer, list, named};
use crate::{
    cluster::{Cluster, Depth},
    command::{context::now, diff, history},
    failure::{Failure, code},
    view::{self, Facts},
};

type Shared = State<Arc<Page>>;
type Named = Path<(String, String)>;

/// Where and as whom.
pub(super) async fn me(State(page): Shared) -> Response {
    answer(&json!({
        "context": page.cluster.context,
        "server": page.cluster.server,
        "user": page.by,
        "namespace": page.cluster.namespace,
        "allNamespaces": page.all,
        "readOnly": page.read_only,
        "flags": page.flags,
        "version": env!("CARGO_PKG_VERSION"),
    }))
}

pub(super) async fn canaries(State(page): Shared) -> Result<Response, Refused> {
    let all = page.cluster.list(page.all, None).await?;
    let views: Vec<_> = all.into_iter().map(|one| view::canary(&Facts::of(one), now())).collect();
    Ok(list("CanaryViewList", &views))
}

/// The Canary of exactly this name.
pub(super) async fn found(cluster: &Cluster, name: &str) -> Result<Canary, Refused> {
    named(name)?;
    let canary = cluster.canary(name).await?;
    if canary.metadata.name.as_deref() == Some(name) {
        return Ok(canary);
    }
    let text = format!("canaries.flagger.app {name:?} not found in namespace {}", cluster.namespace);
    Err(Failure::new(code::NOT_FOUND, text).into())
}

async fn facts(page: &Page, namespace: &str, name: &str, depth: Depth) -> Result<Facts, Refused> {
    let cluster = page.within(namespace)?;
    let canary = found(&cluster, name).await?;
    Ok(cluster.around(canary, depth).await)
}

pub(super) async fn canary(State(page): Shared, Path((namespace, name)): Named) -> Result<Response, Refused> {
    let facts = facts(&page, &namespace, &name, Depth::All).await?;
    Ok(answer(&view::canary(&facts, now())))
}

pub(super) async fn runs(State(page): Shared, Path((namespace, name)): Named) -> Result<Response, Refused> {
    let facts = facts(&page, &namespace, &name, Depth::Told).await?;
    Ok(list("RunViewList", &history::runs(&facts, now())))
}

/// What the target changes of the primary.
pub(super) async fn diff(State(page): Shared, Path((namespace, name)): Named) -> Result<Response, Refused> {
    compared(&page, &namespace, &name, None).await
}

/// What the target changes of a revision that was promoted.
pub(super) async fn diff_to(
    State(page): Shared,
    Path((namespace, name, hash)): Path<(String, String, String)>,
) -> Result<Response, Refused> {
    compared(&page, &namespace, &name, Some(&hash)).await
}

async fn compared(page: &Page, namespace: &str, name: &str, to: Option<&str>) -> Result<Response, Refused> {
    let cluster = page.within(namespace)?;
    let canary = found(&cluster, name).await?;
    let (titles, changes) = diff::compare(&cluster, &canary, to).await?;
    Ok(answer(&diff::view(&titles, &changes)))
}
