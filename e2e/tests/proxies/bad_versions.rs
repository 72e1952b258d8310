//! Six kinds of bad versions behind every proxy, one of them with and without a timeout of the proxy: each is rolled
//! back for the true reason, and for no other. One kind is promoted where only the application counts. The table in
//! `docs/router-metrics.md` shows the numbers of each router.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::ensure;
use futures::future::join_all;
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
    story!(gateway_api_by_envoy_gateway),
    story!(services, Need::Nftables),
    story!(skipper),
    story!(gloo),
];

/// The proxy's timeout, if it has one. The version that never answers exceeds it.
const LIMIT: &str = "1s";
/// How long callers wait if the proxy has no such timeout.
const GIVE_UP: Duration = Duration::from_secs(2);
/// Envoy updates durations every 5 s, independently of scrapes.
const FLUSHES: &str = "15s";
/// Requests per second.
const RATE: f64 = 40.0;

/// The kind of bad version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bad {
    Answers500,
    BreaksOff,
    /// The same with half of its requests.
    BreaksOffHalf,
    Refuses,
    NeverAnswers,
    /// The same, but the proxy has no timeout, or a longer one than its callers.
    OutlastsCallers,
    Slow,
}

impl Bad {
    const ALL: [Self; 7] = [
        Self::Answers500,
        Self::BreaksOff,
        Self::BreaksOffHalf,
        Self::Refuses,
        Self::NeverAnswers,
        Self::OutlastsCallers,
        Self::Slow,
    ];

    fn behaviour(self) -> Behaviour {
        let usual = Behaviour::default();
        match self {
            Self::Answers500 => Behaviour { error_rate: Some(1.0), ..usual },
            Self::BreaksOff => Behaviour { breaks_off: Some(1.0), ..usual },
            Self::BreaksOffHalf => Behaviour { breaks_off: Some(0.5), ..usual },
            Self::Refuses => Behaviour { refuses: Some(true), ..usual },
            Self::NeverAnswers | Self::OutlastsCallers => {
                Behaviour { delay: Some(Duration::from_secs(3600)), ..usual }
            }
            Self::Slow => Behaviour { delay: Some(Duration::from_millis(700)), ..usual },
        }
    }
}

/// The result of the checks for a version.
#[derive(Clone, Copy, Debug)]
enum Seen {
    /// All its requests failed.
    Failed,
    /// Some of its requests failed.
    PartlyFailed,
    /// It is slower than the limit.
    Slow,
    /// There are no values in these counts, and the message names this as a possible reason.
    Nothing(&'static str),
    /// Its failures are in no count, so it is promoted.
    Unseen,
}

/// The text about a request duration above the limit.
const SLOW: &str = "advancement request duration";

impl Seen {
    /// None: nothing is wrong as far as the checks can tell.
    fn said(self) -> Option<&'static str> {
        match self {
            Self::Failed => Some("advancement success rate 0.00% < 99%"),
            Self::PartlyFailed => Some("advancement success rate"),
            Self::Slow => Some(SLOW),
            Self::Nothing(why) => Some(why),
            Self::Unseen => None,
        }
    }

    /// An Event that names this reason, or one that is true besides: there are no values before the first scrape, and
    /// requests that get no answer have no duration; those that the proxy ends have one.
    fn allows(self, bad: Bad, halt: &str) -> bool {
        let also = bad == Bad::NeverAnswers && halt.contains(SLOW);
        also || halt.contains("no values found") || self.said().is_some_and(|said| halt.contains(said))
    }
}

/// Proxies count the answers that callers get. They differ in how they count callers who give up.
const fn by_proxy(callers_give_up: Seen) -> [Seen; 7] {
    let failed = Seen::Failed;
    [failed, failed, Seen::PartlyFailed, failed, failed, callers_give_up, Seen::Slow]
}

/// The application counts its answers. T3 is promoted: the requests that are broken off are in no count.
const BY_APPLICATION: [Seen; 7] = {
    let nothing = Seen::Nothing("its pods do not answer, which the application cannot count");
    [Seen::Failed, nothing, Seen::Unseen, nothing, nothing, nothing, Seen::Slow]
};

/// The user's routes, with a timeout if users can set one.
fn routes(way: Way, host: &str, bad: Bad) -> Vec<Value> {
    let mut all = way.objects(host);
    match way {
        _ if bad != Bad::NeverAnswers => {}
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
        Way::Gloo => all[1]["spec"]["virtualHost"]["routes"][0]["options"] = json!({"timeout": LIMIT}),
        _ => {}
    }
    all
}

/// One bad version behind one proxy, from the adoption to the end of its run.
async fn tried(shared: &Shared, way: Way, name: &str, bad: Bad, seen: Seen) -> anyhow::Result<()> {
    let namespace = format!("{name}-{bad:?}").to_lowercase();
    let routes = routes(way, &format!("app.{namespace}.example.com"), bad);
    let story = Life::begin_behind(shared, &namespace, way, app(), routes).await?.story;
    let strategy = if way == Way::Services { json!({"iterations": 3}) } else { json!({"stepWeights": [50]}) };
    // a version that is promoted may have windows without values, before the first scrape
    let threshold = if seen.said().is_some() { 3 } else { 10 };
    let mut analysis = json!({
        "interval": "5s", "threshold": threshold,
        "metrics": [
            {"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "5s"},
            {"name": "request-duration", "thresholdRange": {"max": 500}, "interval": FLUSHES},
        ],
    });
    json_patch::merge(&mut analysis, &strategy);
    let mut canary = canary(way, &story.host("app"), &analysis);
    if bad == Bad::NeverAnswers && matches!(way, Way::Istio | Way::Contour | Way::Gateway(_)) {
        canary["spec"]["service"]["timeout"] = json!(LIMIT);
    }
    story.apply(vec![canary]).await?;
    story.phase("app", Phase::Initialized).await?;
    shared.bed.kubelet()?.set(Selector::image("app:2").in_namespace(&namespace), bad.behaviour());
    let target = Target { limit: GIVE_UP, ..target(way, &story).await? };
    let load = LoadHandle::start(&target, RATE, 24);
    story.set_image("app", "app:2").await?;
    let ended = |phase: Option<Phase>| matches!(phase, Some(Phase::Failed | Phase::Succeeded));
    let canary = story.canary_that("app", |c| ended(c.status.as_ref().and_then(|s| s.phase))).await?;
    let users = load.stop().await;
    let events = story.events("app").await?;
    let halts: Vec<&String> = events.iter().filter(|note| note.contains("Halt ")).collect();
    let phase = canary.status.and_then(|s| s.phase);
    writeln!(io::stdout(), "{way:?}, {bad:?}: users got {:?}; {halts:?}", users.statuses)?;
    let wanted = if seen.said().is_some() { Phase::Failed } else { Phase::Succeeded };
    ensure!(phase == Some(wanted), "it ended as {phase:?}; {halts:?}");
    let told = seen.said().is_none_or(|said| halts.iter().any(|note| note.contains(said)));
    ensure!(told, "no Event says {:?}: {halts:?}", seen.said());
    let other = halts.iter().find(|note| !seen.allows(bad, note));
    ensure!(other.is_none(), "this is not the reason: {other:?}, but {:?}", seen.said());
    Ok(())
}

/// The target at which requests reach the new version.
async fn target(way: Way, story: &Story<'_>) -> anyhow::Result<Target> {
    if way == Way::Services { through(story, "app-canary").await } else { way.target(story).await }
}

async fn all(shared: &Shared, way: Way, name: &str, seen: [Seen; 7]) -> anyhow::Result<()> {
    let each = Bad::ALL.into_iter().zip(seen).map(|(bad, seen)| async move {
        let tried = Box::pin(tried(shared, way, name, bad, seen)).await;
        tried.err().map(|why| format!("a version that {bad:?}: {why:#}"))
    });
    let wrong: Vec<String> = join_all(each).await.into_iter().flatten().collect();
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

async fn istio(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Istio, "bad-istio", by_proxy(Seen::Slow)).await
}

/// Envoy counts a request per cluster when it has been answered.
const GIVEN_UP: Seen =
    Seen::Nothing("it answers none of its requests: those that their callers give up are not counted");

async fn contour(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Contour, "bad-contour", by_proxy(GIVEN_UP)).await
}

async fn gloo(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Gloo, "bad-gloo", by_proxy(GIVEN_UP)).await
}

async fn traefik(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Traefik, "bad-traefik", by_proxy(Seen::Slow)).await
}

async fn gateway_api_by_contour(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Gateway(Door::Contour), "bad-gw-contour", BY_APPLICATION).await
}

async fn gateway_api_by_istiod(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Gateway(Door::Mesh), "bad-gw-istiod", BY_APPLICATION).await
}

async fn gateway_api_by_envoy_gateway(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Gateway(Door::EnvoyGateway), "bad-gw-envoy", BY_APPLICATION).await
}

async fn services(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Services, "bad-services", BY_APPLICATION).await
}

async fn skipper(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Skipper, "bad-skipper", by_proxy(Seen::Slow)).await
}
