//! `serin release-all`: gives every Canary back before an uninstall, so that nothing hangs on finalizers and no
//! application is left at zero replicas. The running operator does the work; this command requests it, one Canary
//! after another, and reports the progress.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module talks to the cluster")]

use std::time::Duration;

use anyhow::Context as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams},
    runtime::{conditions::is_deleted, wait::await_condition},
};

use crate::{api::Canary, config::Config, controller, scope::Scope};

/// Time limit for giving back one Canary: its pods have to start.
const PATIENCE: Duration = Duration::from_secs(900);

/// Deletes all Canaries (of `--namespace` or `--namespace-selector`, or all) in order and waits for each to be gone.
///
/// # Errors
/// The API server cannot be reached, refuses, or a Canary is not gone in time.
#[allow(clippy::print_stdout, reason = "progress is for the terminal")]
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let client = controller::client(&config).await?;
    let canaries = canaries(&client, &config.scope).await?;
    let total = canaries.len();
    for (i, canary) in canaries.iter().enumerate() {
        let (namespace, name) = (canary.namespace().unwrap_or_default(), canary.name_any());
        println!("[{}/{total}] releasing {namespace}/{name}", i + 1);
        let api: Api<Canary> = Api::namespaced(client.clone(), &namespace);
        api.delete(&name, &DeleteParams::default())
            .await
            .with_context(|| format!("delete {namespace}/{name}"))?;
        let uid = canary.uid().unwrap_or_default();
        let gone = Box::pin(await_condition(api, &name, is_deleted(&uid)));
        tokio::time::timeout(PATIENCE, gone)
            .await
            .with_context(|| format!("{namespace}/{name} is not given back: is the operator running?"))??;
    }
    println!("{total} released: no Canary is left");
    Ok(())
}

/// Those of the namespaces that the operator works in.
async fn canaries(client: &Client, scope: &Scope) -> anyhow::Result<Vec<Canary>> {
    let namespaces = match scope {
        Scope::All => {
            let all: Api<Canary> = Api::all(client.clone());
            return Ok(all.list(&ListParams::default()).await.context("list Canaries")?.items);
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
        let listed = api.list(&ListParams::default()).await;
        found.extend(listed.with_context(|| format!("list Canaries in namespace {namespace}"))?.items);
    }
    Ok(found)
}
