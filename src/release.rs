//! `serin release-all`: gives every Canary back before an uninstall, so that nothing hangs on finalizers and no
//! application is left at zero replicas. The running operator does the work; this command requests it, one Canary
//! after another, and reports the progress.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module talks to the cluster")]

use std::time::Duration;

use anyhow::{Context as _, ensure};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams},
    core::{PartialObjectMeta, Request},
    runtime::{conditions::is_deleted, wait::await_condition},
};

use crate::{api::Canary, config::Config, controller, scope::Scope};

/// Time limit for giving back one Canary: its pods have to start.
const PATIENCE: Duration = Duration::from_secs(900);

/// Deletes all Canaries (of `--namespace` or `--namespace-selector`, or all) in order and waits for each to be gone.
///
/// # Errors
/// The API server cannot be reached, refuses, or a Canary is not gone in time.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let client = controller::client(&config).await?;
    release(&client, &config.scope).await
}

#[allow(clippy::print_stdout, reason = "progress is for the terminal")]
async fn release(client: &Client, scope: &Scope) -> anyhow::Result<()> {
    let canaries = canaries(client, scope).await?;
    let total = canaries.len();
    let mut kept = Vec::new();
    for (i, canary) in canaries.iter().enumerate() {
        let (namespace, name) = (canary.namespace().unwrap_or_default(), canary.name_any());
        println!("[{}/{total}] releasing {namespace}/{name}", i + 1);
        if let Err(why) = delete(client, &namespace, &name).await {
            // the others do not depend on it
            println!("[{}/{total}] {namespace}/{name} cannot be deleted: {why}", i + 1);
            kept.push(format!("{namespace}/{name} ({why})"));
            continue;
        }
        let uid = canary.uid().unwrap_or_default();
        let api: Api<PartialObjectMeta<Canary>> = Api::namespaced(client.clone(), &namespace);
        let gone = Box::pin(await_condition(api, &name, is_deleted(&uid)));
        tokio::time::timeout(PATIENCE, gone)
            .await
            .with_context(|| format!("{namespace}/{name} is not given back: is the operator running?"))??;
    }
    ensure!(kept.is_empty(), "{} of {total} cannot be deleted: {}", kept.len(), kept.join(", "));
    println!("{total} released: no Canary is left");
    Ok(())
}

/// Somebody else may have deleted it. The answer may contain the whole Canary, and is not decoded.
async fn delete(client: &Client, namespace: &str, name: &str) -> kube::Result<()> {
    let api: Api<Canary> = Api::namespaced(client.clone(), namespace);
    let request = Request::new(api.resource_url()).delete(name, &DeleteParams::default());
    match client.request_text(request.map_err(kube::Error::BuildRequest)?).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        done => done.map(drop),
    }
}

/// Those of the namespaces that the operator works in. One that does not decode is one of them.
async fn canaries(client: &Client, scope: &Scope) -> anyhow::Result<Vec<PartialObjectMeta<Canary>>> {
    let namespaces = match scope {
        Scope::All => {
            let all: Api<Canary> = Api::all(client.clone());
            return Ok(all.list_metadata(&ListParams::default()).await.context("list Canaries")?.items);
        }
        Scope::Named(names) => names.iter().cloned().collect(),
        Scope::Labelled(selector) => {
            let all: Api<Namespace> = Api::all(client.clone());
            let params = ListParams::default().labels(&selector.to_string());
            let found =
                all.list_metadata(&params).await.context("list the namespaces of --namespace-selector")?;
            found.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>()
        }
    };
    let mut found = Vec::new();
    for namespace in namespaces {
        let api: Api<Canary> = Api::namespaced(client.clone(), &namespace);
        let listed = api.list_metadata(&ListParams::default()).await;
        found.extend(listed.with_context(|| format!("list Canaries in namespace {namespace}"))?.items);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use axum::{
        Router,
        extract::{Request, State},
        response::{IntoResponse as _, Response},
    };
    use http::{Method, StatusCode};
    use serde_json::{Value, json};

    use super::*;

    /// Names of the Canaries that are left.
    type Left = Arc<Mutex<Vec<&'static str>>>;

    fn left(of: &Left) -> Vec<&'static str> {
        of.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Canary `odd` does not decode.
    fn canary(name: &str) -> Value {
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"});
        let spec =
            if name == "odd" { json!("none") } else { json!({"targetRef": target, "service": {"port": 80}}) };
        json!({"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "spec": spec,
            "metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "1"}})
    }

    /// Canary `taken` was deleted by somebody else, and `kept` must not be deleted.
    fn deleted(server: &Left, name: &str) -> Response {
        let code = match name {
            "taken" => StatusCode::NOT_FOUND,
            "kept" => StatusCode::FORBIDDEN,
            _ => StatusCode::OK,
        };
        if code != StatusCode::FORBIDDEN {
            server.lock().unwrap_or_else(PoisonError::into_inner).retain(|one| *one != name);
        }
        let refused = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no", "reason": "no",
            "code": code.as_u16()});
        let body = if code == StatusCode::OK { canary(name) } else { refused };
        (code, body.to_string()).into_response()
    }

    /// An API server with these Canaries.
    async fn answer(State(server): State<Left>, request: Request) -> Response {
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        if request.method() == Method::DELETE {
            return deleted(&server, path.rsplit('/').next().unwrap_or_default());
        }
        let accept = request.headers().get("accept").and_then(|accept| accept.to_str().ok());
        let metadata = accept.is_some_and(|accept| accept.contains("as=PartialObjectMetadata"));
        let mut items = Vec::new();
        for name in left(&server) {
            let mut item = canary(name);
            if metadata {
                item["kind"] = json!("PartialObjectMetadata");
                item["apiVersion"] = json!("meta.k8s.io/v1");
                item["spec"].take();
            }
            if !query.contains("metadata.name") || query.contains(name) {
                items.push(item);
            }
        }
        json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items})
            .to_string()
            .into_response()
    }

    async fn released(names: &[&'static str]) -> (anyhow::Result<()>, Vec<&'static str>) {
        let server: Left = Arc::new(Mutex::new(names.to_vec()));
        let client = Client::new(Router::new().fallback(answer).with_state(server.clone()), "default");
        let done = release(&client, &Scope::All).await;
        (done, left(&server))
    }

    #[tokio::test]
    async fn one_canary_does_not_keep_others_from_being_released() {
        for names in [&["a", "b"][..], &["a", "odd", "b"], &["taken", "b"], &[]] {
            let (done, left) = released(names).await;
            assert!(done.is_ok() && left.is_empty(), "{names:?}: {done:?} {left:?}");
        }
        let (done, left) = released(&["a", "kept", "b"]).await;
        let why = format!("{:#}", done.unwrap_err());
        assert!(why.contains("shop/kept") && left == ["kept"], "{why} {left:?}");
    }
}
