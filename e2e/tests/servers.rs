//! Servers with the Prometheus API in their default settings: the same stories on each, with the same results. For
//! `make nightly`, because no other test needs these parts.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{
    Bed, Options, SparsePrometheus, Traffic, VictoriaMetrics,
    lacking::{Lacking, Need},
    observer::Observer,
    operator::Operator,
    stage::{self, Stage},
    story::Story,
};
use tokio::time::sleep;

/// The shared state of the stories.
struct Shared {
    bed: Bed,
    _operator: Operator,
    observer: Observer,
    victoria_metrics: VictoriaMetrics,
    sparse: SparsePrometheus,
}

impl stage::Shared for Shared {
    fn bed(&self) -> &Bed {
        &self.bed
    }
    fn observer(&self) -> Option<&Observer> {
        Some(&self.observer)
    }
}

/// A server with its name.
#[derive(Clone, Copy, Debug)]
enum Server {
    Prometheus,
    /// V15: its lookback is shorter than its scrape interval.
    SparsePrometheus,
    VictoriaMetrics,
}

impl Server {
    fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::SparsePrometheus => "v15-sparse-prometheus",
            Self::VictoriaMetrics => "victoria-metrics",
        }
    }

    fn url(self, shared: &Shared) -> String {
        match self {
            Self::Prometheus => shared.bed.prometheus_url(),
            Self::SparsePrometheus => shared.sparse.url(),
            Self::VictoriaMetrics => shared.victoria_metrics.url(),
        }
    }
}

async fn start() -> anyhow::Result<Shared> {
    let bed = Bed::start(Options { envoy: false, ..Options::default() }).await?;
    bed.install().await?;
    let observer = Observer::start(bed.admin());
    let mut operator = Operator::start(&bed, &[], &[])?;
    operator.ready(Duration::from_secs(30)).await?;
    let victoria_metrics = VictoriaMetrics::start(&bed).await?;
    let sparse = SparsePrometheus::start(&bed).await?;
    Ok(Shared { bed, _operator: operator, observer, victoria_metrics, sparse })
}

/// A Canary that only this server measures: two steps of ten seconds, judged by the last ten seconds.
async fn story<'a>(
    shared: &'a Shared,
    server: Server,
    name: &str,
    threshold: i32,
) -> anyhow::Result<Story<'a>> {
    let metric = json!({"name": "request-success-rate", "interval": "10s", "thresholdRange": {"min": 99}});
    story_with(shared, server, name, threshold, metric).await
}

/// The same with this metric only.
async fn story_with<'a>(
    shared: &'a Shared,
    server: Server,
    name: &str,
    threshold: i32,
    metric: Value,
) -> anyhow::Result<Story<'a>> {
    let story = Story::new(&shared.bed, &format!("{name}-{}", server.name())).await?;
    let edit = |canary: &mut Value| {
        canary["spec"]["metricsServer"] = json!(server.url(shared));
        canary["spec"]["service"]["gateways"] = json!([]);
        canary["spec"]["analysis"] = json!({
            "interval": "10s", "threshold": threshold, "stepWeights": [20, 50], "metrics": [metric],
        });
    };
    story.initialised("app", edit).await?;
    Ok(story)
}

/// The series of the new version start with its release.
async fn v2_a_good_release_is_promoted_at_its_first_look(
    shared: &Shared,
    server: Server,
) -> anyhow::Result<()> {
    let story = story(shared, server, "v2-good", 1).await?;
    let scripted = shared.bed.scripted();
    scripted.traffic(&story.namespace, "app-primary", Traffic::success(100.0, 50.0));
    story.set_image("app", "app:2").await?;
    scripted.traffic(&story.namespace, "app", Traffic::success(100.0, 50.0));
    story.phase("app", Phase::Succeeded).await.map(drop)
}

/// The first step succeeds. At the second step every request fails.
async fn v1_a_release_that_fails_at_its_last_step_is_rolled_back(
    shared: &Shared,
    server: Server,
) -> anyhow::Result<()> {
    let story = story(shared, server, "v1-bad", 2).await?;
    fails_at_its_last_step(shared, &story).await
}

/// The same, and the only metric is a query of the user's own, which passes without any sample.
async fn v1_own_promql_alone_finds_what_fails_at_the_last_step(
    shared: &Shared,
    server: Server,
) -> anyhow::Result<()> {
    let failures = r#"sum(increase(istio_requests_total{destination_workload_namespace="{{ namespace }}",destination_workload="{{ target }}",response_code=~"5.*"}[{{ interval }}])) or vector(0)"#;
    let metric =
        json!({"name": "failures", "query": failures, "interval": "10s", "thresholdRange": {"max": 0}});
    let story = story_with(shared, server, "v1-own", 2, metric).await?;
    fails_at_its_last_step(shared, &story).await
}

async fn fails_at_its_last_step(shared: &Shared, story: &Story<'_>) -> anyhow::Result<()> {
    let scripted = shared.bed.scripted();
    scripted.traffic(&story.namespace, "app", Traffic::success(100.0, 50.0));
    story.set_image("app", "app:2").await?;
    let at_50 = |c: &serin::api::Canary| c.status.as_ref().is_some_and(|s| s.canary_weight == 50);
    story.canary_that("app", at_50).await.context("the second step")?;
    scripted.traffic(&story.namespace, "app", Traffic::success(0.0, 50.0));
    story.phase("app", Phase::Failed).await?;
    ensure!(story.weight("app").await? == Some(0), "weight after the rollback");
    Ok(())
}

/// The first failures of a version are a share of the requests in a window, not of the time since they began: less than 1 %
/// of the window, all in its middle, are fewer than the 1 % that are allowed.
async fn v4_the_first_failures_are_counted_as_what_they_are(
    shared: &Shared,
    server: Server,
) -> anyhow::Result<()> {
    let story = story(shared, server, "v4-first", 1).await?;
    let scripted = shared.bed.scripted();
    scripted.burst(&story.namespace, "app", 0);
    scripted.traffic(&story.namespace, "app", Traffic::success(100.0, 50.0));
    // 100 000 requests in ten seconds, although several servers scrape them
    scripted.by_second(&story.namespace, "app");
    story.set_image("app", "app:2").await?;
    let at_50 = |c: &serin::api::Canary| c.status.as_ref().is_some_and(|s| s.canary_weight == 50);
    story.canary_that("app", at_50).await.context("the second step")?;
    sleep(Duration::from_secs(4)).await;
    if let Server::VictoriaMetrics = server {
        // It divides the growth of a young series by its age, if it is asked for a rate. It may not show the last
        // seconds of the window yet, so there are fewer failures: 0.9 % of its half.
        scripted.burst(&story.namespace, "app", 5);
        sleep(Duration::from_millis(1500)).await;
        scripted.burst(&story.namespace, "app", 445);
    } else {
        // in one scrape: Prometheus extrapolates the growth of a series with few samples
        scripted.burst(&story.namespace, "app", 850);
    }
    story.phase("app", Phase::Succeeded).await.map(drop)
}

/// The stories on one server.
macro_rules! played_on {
    ($server:expr; $($story:ident),*) => {
        &[$((stringify!($story), Need::Bed, |shared| Box::pin($story(shared, $server)))),*]
    };
    ($server:expr) => {
        played_on!(
            $server; v1_a_release_that_fails_at_its_last_step_is_rolled_back,
            v1_own_promql_alone_finds_what_fails_at_the_last_step,
            v2_a_good_release_is_promoted_at_its_first_look, v4_the_first_failures_are_counted_as_what_they_are
        )
    };
}

const FAMILIES: [(Server, stage::Family<Shared>); 3] = [
    (Server::Prometheus, played_on!(Server::Prometheus)),
    (Server::SparsePrometheus, played_on!(Server::SparsePrometheus)),
    (Server::VictoriaMetrics, played_on!(Server::VictoriaMetrics)),
];

fn main() -> anyhow::Result<ExitCode> {
    let lacking = Lacking::find("servers")?;
    lacking.enter()?;
    let mut stage = Stage::new(lacking, start)?;
    stage.play(9, &FAMILIES.map(|(server, stories)| (server.name(), stories)));
    stage.end()
}
