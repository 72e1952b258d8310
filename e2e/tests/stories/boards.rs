//! Sends the queries of the dashboards to the bed's Prometheus during a release that is rolled back and one that is
//! promoted.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, ensure};
use serin::api::Phase;
use serin_bed::{
    kubelet::{Behaviour, Selector},
    load::LoadHandle,
    story::{PATIENCE, Story, by_traffic},
};
use serin_monitoring::check;

use crate::{Family, Shared};

pub(crate) const STORIES: Family = &[crate::story!(s3_10_every_panel_of_the_boards_has_data)];

/// Panels about problems that these two releases do not have.
const TROUBLE: [&str; 8] = [
    "Waiting for approval",
    "Frozen for",
    "Errors and conflicts",
    "Interrupted lists and watches",
    "Kinds that cannot be watched",
    "Webhook calls",
    "Alerts",
    "Outgoing Requests by Destination And Response Code",
];

/// Series that the bed does not export: containers and Deployments, and Envoy's own statistics with the labels of
/// Flagger's Prometheus.
fn is_foreign(query: &str) -> bool {
    ["container_", "kube_", "envoy_cluster_"].iter().any(|begin| query.contains(begin))
}

/// The queries without data so far, by dashboard, form and panel.
fn pending() -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, board) in serin_monitoring::boards() {
        for panel in check::panels(&board.json()) {
            let title = panel["title"].as_str().unwrap_or_default();
            for query in check::queries(&panel) {
                if TROUBLE.contains(&title) || is_foreign(&query) {
                    continue;
                }
                // a selector of the operator's metrics starts with one of the two labels
                let forms = if query.contains("exported_namespace") {
                    vec!["serin", "serin-exported"]
                } else {
                    vec![""]
                };
                for job in forms {
                    let of_job =
                        query.replace("{exported_namespace", &format!("{{job=\"{job}\",exported_namespace"));
                    let values = check::EXAMPLE.map(|(name, value)| match name {
                        "namespace" => (name, "boards"),
                        "name" | "target" | "canary" => (name, "app"),
                        "primary" => (name, "app-primary"),
                        "job" => (name, "serin"),
                        // of the two metrics, only this one has a maximum
                        "metric" if query.contains("bound=\"max\"") => (name, "request-duration"),
                        "__rate_interval" | "__interval" => (name, "15s"),
                        "__range" => (name, "5m"),
                        _ => (name, value),
                    });
                    let filled = check::filled(&of_job, &values);
                    all.entry(format!("{file} {job} {title}")).or_default().push(filled);
                }
            }
        }
    }
    all
}

/// Removes the queries that have data now.
async fn look(shared: &Shared, pending: &mut BTreeMap<String, Vec<String>>) -> Result<()> {
    for queries in pending.values_mut() {
        let mut empty = vec![];
        for query in queries.drain(..) {
            if shared.bed.query(&query).await?.is_empty() {
                empty.push(query);
            }
        }
        *queries = empty;
    }
    pending.retain(|_, queries| !queries.is_empty());
    Ok(())
}

/// Repeats this until the Canary is in this phase.
async fn until(
    shared: &Shared,
    story: &Story<'_>,
    phase: Phase,
    pending: &mut BTreeMap<String, Vec<String>>,
) -> Result<()> {
    let limit = tokio::time::Instant::now() + PATIENCE;
    loop {
        look(shared, pending).await?;
        let canary: serin::api::Canary = story.api().get("app").await?;
        if canary.status.and_then(|status| status.phase) == Some(phase) {
            return look(shared, pending).await;
        }
        ensure!(tokio::time::Instant::now() < limit, "the Canary does not come to {phase}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn s3_10_every_panel_of_the_boards_has_data(shared: &Shared) -> Result<()> {
    let story = Story::new(&shared.bed, "boards").await?;
    story.initialised("app", by_traffic).await?;
    story.target("app").serving("1", Duration::from_secs(30)).await?;
    let mut pending = pending();
    let panels = pending.len();
    ensure!(panels > 80, "only {panels} panels are looked at");
    shared.bed.kubelet()?.set(
        Selector::image("app:2").in_namespace("boards"),
        Behaviour { error_rate: Some(0.5), ..Behaviour::default() },
    );
    let load = LoadHandle::start(&story.target("app"), 100.0, 4);
    story.set_image("app", "app:2").await?;
    until(shared, &story, Phase::Failed, &mut pending).await?;
    // longer than the scrape interval
    for _ in 0..7 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        look(shared, &mut pending).await?;
    }
    story.set_image("app", "app:3").await?;
    until(shared, &story, Phase::Succeeded, &mut pending).await?;
    for _ in 0..60 {
        look(shared, &mut pending).await?;
        if pending.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    load.stop().await;
    let empty: Vec<String> =
        pending.iter().map(|(panel, queries)| format!("{panel}:\n  {}", queries.join("\n  "))).collect();
    ensure!(empty.is_empty(), "{} of {panels} panels have no data:\n{}", empty.len(), empty.join("\n"));
    Ok(())
}
