//! Pods behind Services, from EndpointSlices. Distinguishes the two Deployments of a Canary by the names of their pods.

use anyhow::Context;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::{Api, api::ListParams};

use crate::{
    story::{PATIENCE, Story},
    wait,
};

/// The number of ready pods behind a Service: those of the primary of `app`, and all others.
///
/// # Errors
/// The API server does not answer.
pub async fn ready(slices: &Api<EndpointSlice>, app: &str, service: &str) -> anyhow::Result<(usize, usize)> {
    let of = ListParams::default().labels(&format!("kubernetes.io/service-name={service}"));
    let listed = slices.list(&of).await.with_context(|| format!("listing what is behind {service}"))?;
    let primary = format!("{app}-primary-");
    let mut counts = (0, 0);
    for endpoint in listed.items.into_iter().filter_map(|s| s.endpoints).flatten() {
        let ready = endpoint.conditions.and_then(|c| c.ready) == Some(true);
        let pod = endpoint.target_ref.and_then(|t| t.name).unwrap_or_default();
        match (ready, pod.starts_with(&primary)) {
            (true, true) => counts.0 += 1,
            (true, false) => counts.1 += 1,
            _ => {}
        }
    }
    Ok(counts)
}

/// Waits until this many pods are ready behind a Service: of the primary of `app`, and others.
///
/// # Errors
/// The time limit was exceeded.
pub async fn ready_are(
    story: &Story<'_>,
    app: &str,
    service: &str,
    wanted: (usize, usize),
) -> anyhow::Result<()> {
    let slices: Api<EndpointSlice> = story.api();
    let there = async || (ready(&slices, app, service).await.ok()? == wanted).then_some(());
    wait::until(&format!("{wanted:?} ready pods behind {service}"), PATIENCE, there).await
}
