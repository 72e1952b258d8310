//! Every way of moving users to a new version, through Envoy: who gets it at each step, and that no request is lost.

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::ListParams};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Traffic,
    load::{LoadHandle, Target, Window},
    story::{PATIENCE, Path, Story},
    wait,
};

use crate::{
    Family, Shared,
    bad_common::{pace, refused, stands},
    story,
};

pub(crate) const STORIES: Family = &[
    story!(a_b_gives_the_named_the_canary_and_nobody_else),
    story!(a_failed_a_b_takes_the_named_back),
    story!(blue_green_switches_everybody_after_its_iterations),
    story!(blue_green_can_be_tried_on_copies_first),
    story!(copies_come_before_weights),
    story!(a_header_narrows_the_weights),
    story!(cookies_keep_users_where_they_are),
    story!(steps_hold_as_long_as_they_say),
    story!(what_tcp_cannot_do_is_refused),
];

/// The number of answers for measuring a share, and the tolerance: 4.5 standard deviations at one half.
const ANSWERS: u64 = 2000;
const WITHIN: f64 = 0.05;

/// A run that stays at its first step until [`pace`], because the window lasts an hour.
pub(crate) struct Held<'a> {
    pub(crate) story: Story<'a>,
    pub(crate) load: LoadHandle,
    pub(crate) path: Path,
}

pub(crate) async fn held<'a>(
    shared: &'a Shared,
    namespace: &str,
    analysis: Value,
) -> anyhow::Result<Held<'a>> {
    shared.bed.scripted().traffic(namespace, "app", Traffic::success(100.0, 50.0));
    let story = Story::new(&shared.bed, namespace).await?;
    let edit = |c: &mut Value| {
        let all = &mut c["spec"]["analysis"];
        all.as_object_mut().map(|a| (a.remove("stepWeight"), a.remove("maxWeight")));
        for (field, value) in analysis.as_object().into_iter().flatten() {
            all[field] = value.clone();
        }
        all["interval"] = json!("60m");
        // scripted and real durations cannot be combined in one histogram
        if let Some(metrics) = all["metrics"].as_array_mut() {
            metrics.truncate(1);
        }
    };
    story.initialised("app", edit).await?;
    story.target("app").serving("1", PATIENCE).await?;
    let load = LoadHandle::start(&story.target("app"), 300.0, 4);
    let path = story.follow("app");
    story.set_image("app", "app:2").await?;
    let confirmed = |c: &Canary| {
        let step = c.status.as_ref().and_then(|s| s.step.as_ref());
        step.is_some_and(|s| s.index == 1 && s.confirmed.is_some())
    };
    story.canary_that("app", confirmed).await.context("waiting for the first step")?;
    Ok(Held { story, load, path })
}

impl Held<'_> {
    /// The answers that normal clients get from now on.
    pub(crate) async fn users(&self) -> anyhow::Result<Window> {
        self.load.reset();
        self.load.requests(ANSWERS, PATIENCE).await
    }

    /// The run continues to its end, and version 2 serves. No normal client lost a request.
    pub(crate) async fn ends_well(self) -> anyhow::Result<Vec<String>> {
        pace(&self.story).await?;
        self.story.phase("app", Phase::Succeeded).await?;
        self.story.target("app").serving("2", PATIENCE).await?;
        self.over().await
    }

    pub(crate) async fn over(self) -> anyhow::Result<Vec<String>> {
        ensure!(self.story.replicas("app").await? == Some(0), "the target keeps its pods");
        let window = self.load.stop().await;
        ensure!(window.lost() == 0, "requests lost: {:?}", window.failures);
        self.story.events("app").await
    }
}

/// This version answers all of `count` requests.
pub(crate) async fn all_from(target: &Target, version: &str, count: u64) -> anyhow::Result<()> {
    target.serving(version, PATIENCE).await?;
    let load = LoadHandle::start(target, 300.0, 2);
    let window = load.requests(count, PATIENCE).await?;
    load.stop().await;
    ensure!(window.versions.keys().all(|v| v == version), "{:?} answered", window.versions);
    ensure!(window.lost() == 0, "requests lost: {:?}", window.failures);
    Ok(())
}

pub(crate) fn near(window: &Window, version: &str, wanted: f64) -> anyhow::Result<()> {
    let share = window.share(version);
    ensure!(
        (share - wanted).abs() <= WITHIN,
        "version {version} gave {share:.3} of the answers, not {wanted}"
    );
    Ok(())
}

/// The requests that the pods of a workload have answered so far, by their own count.
async fn answered(story: &Story<'_>, selector: &str) -> anyhow::Result<f64> {
    let pods: Api<Pod> = story.api();
    let mut sum = 0.0;
    for pod in pods.list(&ListParams::default().labels(selector)).await? {
        let leaving = pod.metadata.deletion_timestamp.is_some();
        let Some(ip) = pod.status.and_then(|s| s.pod_ip).filter(|_| !leaving) else { continue };
        let text =
            serin_bed::http::get((ip.parse::<std::net::IpAddr>()?, 8080).into(), "/metrics").await?.text();
        let counts = text.lines().filter(|l| l.starts_with("http_request_duration_seconds_count"));
        sum += counts.filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>();
    }
    Ok(sum)
}

const NAMED: [(&str, &str); 1] = [("x-canary", "insider")];

fn by_header() -> Value {
    json!([{"headers": {"x-canary": {"exact": NAMED[0].1}}}])
}

fn insider(story: &Story<'_>) -> Target {
    story.target("app").header(NAMED[0].0, NAMED[0].1)
}

async fn a_b_gives_the_named_the_canary_and_nobody_else(shared: &Shared) -> anyhow::Result<()> {
    let run = held(shared, "ab", json!({"iterations": 3, "match": by_header()})).await?;
    all_from(&insider(&run.story), "2", 300).await?;
    near(&run.users().await?, "1", 1.0)?;
    ensure!(run.users().await?.share("2") == 0.0, "somebody who is not named got version 2");
    let path = run.path.taken();
    let events = run.ends_well().await?;
    let wanted: Vec<String> = (1..=3).map(|n| format!("N Advance app.ab canary iteration {n}/3")).collect();
    let told: Vec<_> = events.into_iter().filter(|e| e.contains("iteration")).collect();
    ensure!(told == wanted, "told {told:?}");
    ensure!(path.iter().all(|p| p.1 == 0), "no share of all requests is said: {path:?}");
    Ok(())
}

async fn a_failed_a_b_takes_the_named_back(shared: &Shared) -> anyhow::Result<()> {
    let run = held(shared, "ab-bad", json!({"iterations": 3, "threshold": 1, "match": by_header()})).await?;
    all_from(&insider(&run.story), "2", 100).await?;
    shared.bed.scripted().traffic("ab-bad", "app", Traffic::success(10.0, 50.0));
    pace(&run.story).await?;
    run.story.phase("app", Phase::Failed).await?;
    all_from(&insider(&run.story), "1", 100).await?;
    run.over().await.map(drop)
}

async fn blue_green_switches_everybody_after_its_iterations(shared: &Shared) -> anyhow::Result<()> {
    let run = held(shared, "bluegreen", json!({"iterations": 2})).await?;
    ensure!(run.users().await?.share("2") == 0.0, "somebody got version 2 before the switch");
    let ready = run.story.replicas("app").await?;
    ensure!(ready == Some(2), "the new version has {ready:?} pods to be looked at");
    let (path, events) = (run.story.follow("app"), run.ends_well().await?);
    let wanted = [
        "N Advance app.bluegreen canary iteration 1/2",
        "N Advance app.bluegreen canary iteration 2/2",
        "N Routing all traffic to canary",
        "N Copying app.bluegreen template spec to app-primary.bluegreen",
        "N Routing all traffic to primary",
    ];
    let told: Vec<_> = events.iter().map(String::as_str).filter(|e| wanted.contains(e)).collect();
    ensure!(told == wanted, "told {told:?}");
    ensure!(path.taken().iter().any(|p| p.1 == 100), "the switch shows in no status: {:?}", path.taken());
    Ok(())
}

async fn blue_green_can_be_tried_on_copies_first(shared: &Shared) -> anyhow::Result<()> {
    let run = held(shared, "bluegreen-copies", json!({"iterations": 2, "mirror": true})).await?;
    copied(&run, 1.0).await?;
    let events = run.ends_well().await?;
    let told = events.iter().any(|e| e == "N Stop traffic mirroring and route all traffic to canary");
    ensure!(told, "told {events:?}");
    Ok(())
}

/// Users only get version 1, while version 2 gets mirrored requests of this share.
async fn copied(run: &Held<'_>, share: f64) -> anyhow::Result<()> {
    // the first mirrored requests show that the proxy has the change
    let before = answered(&run.story, "app=app").await?;
    let some = async || (answered(&run.story, "app=app").await.ok()? > before).then_some(());
    wait::until("copies to arrive", PATIENCE, some).await?;
    let (before, _) = (answered(&run.story, "app=app").await?, run.load.reset());
    let window = run.load.requests(ANSWERS, PATIENCE).await?;
    ensure!(window.share("2") == 0.0, "a copy was answered to a user");
    let copies = answered(&run.story, "app=app").await? - before;
    let wanted = window.requests as f64 * share;
    ensure!((copies - wanted).abs() < 0.1 * window.requests as f64, "{copies} copies of {}", window.requests);
    Ok(())
}

async fn copies_come_before_weights(shared: &Shared) -> anyhow::Result<()> {
    let analysis = json!({"stepWeights": [25, 50], "mirror": true, "mirrorWeight": 50});
    let run = held(shared, "mirror", analysis).await?;
    copied(&run, 0.5).await?;
    let (path, events) = (run.story.follow("app"), run.ends_well().await?);
    let weights: Vec<i32> = path.taken().into_iter().map(|p| p.1).filter(|w| *w > 0).collect();
    ensure!(weights.contains(&25) && weights.contains(&50), "weights {weights:?}");
    let told: Vec<_> = events.iter().filter(|e| e.contains("Advance")).collect();
    ensure!(told.len() == 3 && told[0] == "N Advance app.mirror canary weight 0", "told {told:?}");
    Ok(())
}

/// Requests with the header for the canary may get it. All others never do.
async fn a_header_narrows_the_weights(shared: &Shared) -> anyhow::Result<()> {
    let run = held(shared, "narrowed", json!({"stepWeights": [50, 100], "match": by_header()})).await?;
    let target = insider(&run.story);
    let load = LoadHandle::start(&target, 300.0, 2);
    load.first_answer("2", PATIENCE).await?;
    load.reset();
    near(&load.requests(ANSWERS, PATIENCE).await?, "2", 0.5)?;
    ensure!(load.stop().await.lost() == 0, "named requests were lost");
    ensure!(run.users().await?.share("2") == 0.0, "somebody who is not named got version 2");
    run.ends_well().await.map(drop)
}

async fn cookies_keep_users_where_they_are(shared: &Shared) -> anyhow::Result<()> {
    let affinity = json!({"cookieName": "canary", "primaryCookieName": "primary", "maxAge": 60});
    let run = held(shared, "cookies", json!({"stepWeights": [50, 80], "sessionAffinity": affinity})).await?;
    let given = async |version: &str| {
        let answer = wait::until("an answer with a cookie", PATIENCE, async || {
            let answer = run.story.target("app").once().await.ok()?;
            (answer.version.as_deref() == Some(version) && !answer.cookies.is_empty()).then_some(answer)
        });
        anyhow::Ok(answer.await?.cookies.remove(0))
    };
    let (canary, primary) = (given("2").await?, given("1").await?);
    ensure!(canary.starts_with("canary=") && canary.ends_with("; Max-Age=60"), "given {canary:?}");
    ensure!(primary.starts_with("primary=") && primary.ends_with("; Max-Age=3600"), "given {primary:?}");
    let pair = |cookie: &str| format!("theme=dark; {}", cookie.split(';').next().unwrap_or_default());
    let with = |cookie: &str| run.story.target("app").header("cookie", &pair(cookie));
    all_from(&with(&canary), "2", 300).await?;
    all_from(&with(&primary), "1", 300).await?;
    near(&run.users().await?, "2", 0.5)?;
    let kept = with(&canary);
    run.ends_well().await?;
    let answer = kept.once().await?;
    ensure!(answer.version.as_deref() == Some("2"), "the old cookie leads to {answer:?}");
    let taken_back = answer.cookies.iter().any(|c| c.starts_with("canary=") && c.contains("Max-Age=-1"));
    ensure!(taken_back, "the cookie of the run is not taken back: {:?}", answer.cookies);
    Ok(())
}

async fn steps_hold_as_long_as_they_say(shared: &Shared) -> anyhow::Result<()> {
    let steps = json!([{"weight": 30, "hold": "60m"}, {"weight": 10}, {"weight": 60}]);
    let run = held(shared, "holds", json!({"steps": steps})).await?;
    pace(&run.story).await?;
    // several windows pass, and the step stays
    let windows =
        |c: &Canary| c.status.as_ref().and_then(|s| s.step.as_ref()).is_some_and(|s| s.checked.is_some());
    run.story.canary_that("app", windows).await?;
    near(&run.users().await?, "2", 0.3)?;
    let shorter = json!([{"weight": 30}, {"weight": 10}, {"weight": 60}]);
    run.story.edit_canary("app", json!({"spec": {"analysis": {"steps": shorter}}})).await?;
    let path = run.story.follow("app");
    run.ends_well().await?;
    let weights: Vec<i32> = path.taken().into_iter().map(|p| p.1).collect();
    let order = |a, b| weights.iter().position(|w| *w == a) < weights.iter().position(|w| *w == b);
    ensure!(weights.contains(&10) && weights.contains(&60) && order(10, 60), "weights {weights:?}");
    Ok(())
}

async fn what_tcp_cannot_do_is_refused(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "tcp-refused").await?;
    shared.bed.scripted().traffic("tcp-refused", "app", Traffic::success(100.0, 50.0));
    story.initialised("app", |_| {}).await?;
    let edit = json!({"spec": {"service": {"appProtocol": "tcp"}, "analysis": {"match": by_header()}}});
    story.edit_canary("app", edit).await?;
    refused(&story, "app", "InvalidSpec", &["spec.analysis.match", "appProtocol tcp"]).await?;
    let mend = json!({"spec": {"service": {"appProtocol": null}, "analysis": {"match": null}}});
    story.edit_canary("app", mend).await?;
    stands(&story, "app", "Accepted", "True", "Accepted", &[]).await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Succeeded).await.map(drop)
}
