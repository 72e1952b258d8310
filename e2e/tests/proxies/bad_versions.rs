//! Five kinds of bad versions behind every proxy: none is promoted, and each is rolled back for a reason that is true. What
//! the numbers of each router see is the table of `docs/router-metrics.md`.

use std::time::Duration;

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{
    Behaviour, Selector,
    lacking::Need,
    load::{LoadHandle, Target},
    proxies::Door,
    story::Story,
};

use crate::{
    Family, Shared,
    lives::{Life, app, canary},
    story,
    way::{Way, through},
};

pub(crate) const STORIES: Family = &[
    story!(istio),
    story!(contour),
    story!(traefik),
    story!(gateway_api_by_contour),
    story!(gateway_api_by_istiod),
    story!(services, Need::Nftables),
    story!(skipper),
];

/// How long a request may take at the proxy, where that can be said; the version that never answers meets it.
const LIMIT: &str = "1s";
/// Requests a second.
const RATE: f64 = 40.0;

/// How a version is bad.
#[derive(Clone, Copy, Debug)]
enum Bad {
    Answers500,
    BreaksOff,
    Refuses,
    NeverAnswers,
    Slow,
}

impl Bad {
    const ALL: [Self; 5] = [Self::Answers500, Self::BreaksOff, Self::Refuses, Self::NeverAnswers, Self::Slow];

    fn behaviour(self) -> Behaviour {
        let usual = Behaviour::default();
        match self {
            Self::Answers500 => Behaviour { error_rate: Some(1.0), ..usual },
            Self::BreaksOff => Behaviour { breaks_off: Some(true), ..usual },
            Self::Refuses => Behaviour { refuses: Some(true), ..usual },
            Self::NeverAnswers => Behaviour { delay: Some(Duration::from_secs(3600)), ..usual },
            Self::Slow => Behaviour { delay: Some(Duration::from_millis(700)), ..usual },
        }
    }
}

/// What the checks say of a version.
#[derive(Clone, Copy, Debug)]
enum Seen {
    /// All its requests failed.
    Failed,
    /// It is slower than the bound.
    Slow,
    /// There are no values where it is counted, and why that may be is said.
    Nothing,
}

impl Seen {
    fn said(self) -> &'static str {
        match self {
            Self::Failed => "advancement success rate 0.00% < 99%",
            Self::Slow => "advancement request duration",
            Self::Nothing => "its pods do not answer, which the application cannot count",
        }
    }
}

/// Proxies count what callers get.
const BY_PROXY: [Seen; 5] = [Seen::Failed, Seen::Failed, Seen::Failed, Seen::Failed, Seen::Slow];
/// The application counts what it answers.
const BY_APPLICATION: [Seen; 5] = [Seen::Failed, Seen::Nothing, Seen::Nothing, Seen::Nothing, Seen::Slow];

/// The routes of the user's with a limit, where it is theirs to set.
fn routes(way: Way, namespace: &str, host: &str) -> Vec<Value> {
    let mut all = way.objects(namespace, host);
    match way {
        Way::Traefik => {
            all[0]["spec"]["weighted"]["services"][0]["serversTransport"] = json!("limited");
            all.push(json!({
                "apiVersion": "traefik.io/v1alpha1", "kind": "ServersTransport",
                "metadata": {"name": "limited"},
                "spec": {"forwardingTimeouts": {"responseHeaderTimeout": LIMIT}},
            }));
        }
        Way::Skipper => {
            let filter = format!("backendTimeout(\"{LIMIT}\")");
            all[0]["metadata"]["annotations"] = json!({"zalando.org/skipper-filter": filter});
        }
        _ => {}
    }
    all
}

/// One bad version behind one proxy, from the adoption to the end of its run.
async fn tried(shared: &Shared, way: Way, name: &str, bad: Bad, seen: Seen) -> anyhow::Result<()> {
    let namespace = format!("{name}-{bad:?}").to_lowercase();
    let routes = routes(way, &namespace, &format!("app.{namespace}.example.com"));
    let story = Life::begin_behind(shared, &namespace, way, app(), routes).await?.story;
    let strategy = if way == Way::Services { json!({"iterations": 3}) } else { json!({"stepWeights": [50]}) };
    let mut analysis = json!({
        "interval": "5s", "threshold": 3,
        "metrics": [
            {"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "5s"},
            {"name": "request-duration", "thresholdRange": {"max": 500}, "interval": "5s"},
        ],
    });
    json_patch::merge(&mut analysis, &strategy);
    let mut canary = canary(way, &story.host("app"), &analysis);
    if matches!(way, Way::Istio | Way::Contour | Way::Gateway(_)) {
        canary["spec"]["service"]["timeout"] = json!(LIMIT);
    }
    story.apply(vec![canary]).await?;
    story.phase("app", Phase::Initialized).await?;
    shared.bed.kubelet()?.set(Selector::image("app:2").in_namespace(&namespace), bad.behaviour());
    let target = target(way, &story).await?;
    let load = LoadHandle::start(&target, RATE, 24);
    story.set_image("app", "app:2").await?;
    let ended = |phase: Option<Phase>| matches!(phase, Some(Phase::Failed | Phase::Succeeded));
    let canary = story.canary_that("app", |c| ended(c.status.as_ref().and_then(|s| s.phase))).await?;
    load.stop().await;
    let events = story.events("app").await?;
    let halts: Vec<&String> = events.iter().filter(|note| note.contains("Halt ")).collect();
    let phase = canary.status.and_then(|s| s.phase);
    ensure!(phase == Some(Phase::Failed), "it was promoted; {halts:?}");
    let told = halts.iter().any(|note| note.contains(seen.said()));
    ensure!(told, "no Event says {:?}: {halts:?}", seen.said());
    Ok(())
}

/// Where requests meet the new version.
async fn target(way: Way, story: &Story<'_>) -> anyhow::Result<Target> {
    if way == Way::Services { through(story, "app-canary").await } else { way.target(story).await }
}

async fn all(shared: &Shared, way: Way, name: &str, seen: [Seen; 5]) -> anyhow::Result<()> {
    let each = Bad::ALL.into_iter().zip(seen).map(|(bad, seen)| async move {
        tried(shared, way, name, bad, seen).await.with_context(|| format!("a version that {bad:?}"))
    });
    try_join_all(each).await.map(drop)
}

async fn istio(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Istio, "bad-istio", BY_PROXY).await
}

async fn contour(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Contour, "bad-contour", BY_PROXY).await
}

async fn traefik(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Traefik, "bad-traefik", BY_PROXY).await
}

async fn gateway_api_by_contour(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Gateway(Door::Contour), "bad-gw-contour", BY_APPLICATION).await
}

async fn gateway_api_by_istiod(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Gateway(Door::Mesh), "bad-gw-istiod", BY_APPLICATION).await
}

async fn services(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Services, "bad-services", BY_APPLICATION).await
}

async fn skipper(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Skipper, "bad-skipper", BY_PROXY).await
}
