//! The time from bad metrics to weight 0: undisturbed, and with hanging webhooks.

use anyhow::Context;
use jiff::Timestamp;
use serde_json::{Value, json};
use serin::api::Phase;

use super::{
    common::{Bench, LIMIT},
    figure::{Figure, quantile},
    fleet,
    record::Key,
};
use serin_bed::{
    Traffic,
    hooks::{Answer, Receiver},
    wait,
};

/// Number of parallel releases. The metrics of each become bad when its first window starts.
const RELEASES: usize = 10;
const NAMESPACE: &str = "rollback";
/// Number of Canaries with a webhook for each window and one for each Event, both of which hang.
const HOOKED: usize = 25;
const HOOKED_NAMESPACE: &str = "rollback-hooks";
/// Paths of the receiver.
const WINDOW: &str = "/window";
const EVENT: &str = "/event";

pub(super) async fn measure(bench: &Bench, progress: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Vec<Figure>> {
    let keys = make(bench, NAMESPACE, RELEASES, &|_| ()).await?;
    let Spans { verdict, first, breach } = roll_back(bench, &keys, progress).await?;
    let how = how(RELEASES);
    Ok(vec![
        figure("from the failing answer that reaches the threshold to weight 0", &how, verdict).target(1.0),
        figure("from the first failing answer of Prometheus to weight 0", &how, first),
        figure("from the breach to weight 0", &how, breach).flagger(28.9, "").detail(
            "the numbers turn bad when the first window begins: two whole windows are the least it can take",
        ),
    ])
}

/// The same with two hanging webhooks per Canary. Runs separately, so that it does not affect other values.
pub(super) async fn hooked(bench: &Bench, progress: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Figure> {
    let receiver = Receiver::start().await?;
    for path in [WINDOW, EVENT] {
        receiver.behave(path, Answer::Hangs);
    }
    let webhooks = json!([
        {"name": "window", "type": "rollout", "url": receiver.url(WINDOW), "timeout": "60m"},
        {"name": "event", "type": "event", "url": receiver.url(EVENT), "timeout": "60m"},
    ]);
    let edit = |all: &mut Vec<Value>| all[1]["spec"]["analysis"]["webhooks"] = webhooks.clone();
    let keys = make(bench, HOOKED_NAMESPACE, HOOKED, &edit).await?;
    let Spans { verdict, .. } = roll_back(bench, &keys, progress).await?;
    let hung = receiver.received(WINDOW).len() + receiver.received(EVENT).len();
    let what = format!("the same while {hung} webhooks hang");
    Ok(figure(&what, &how(HOOKED), verdict)
        .target(1.0)
        .detail("none of them was answered: one of each Canary in its window, one for its Events"))
}

/// Initialised Canaries with these names and good metrics.
async fn make(
    bench: &Bench,
    namespace: &str,
    size: usize,
    edit: &(dyn Fn(&mut Vec<Value>) + Sync),
) -> anyhow::Result<Vec<Key>> {
    let keys: Vec<Key> = (0..size).map(|i| (namespace.to_owned(), format!("bad-{i}"))).collect();
    bench.bed.namespace(namespace).await?;
    let mut all = Vec::new();
    for (_, name) in &keys {
        let mut objects = fleet::objects(name, "10s", 2);
        edit(&mut objects);
        all.extend(objects);
    }
    bench.bed.apply(namespace, all).await?;
    fleet::all_in(bench, &keys, "initialised", &|_| (), |state| state.phase == Some(Phase::Initialized))
        .await?;
    for (namespace, name) in &keys {
        bench.bed.scripted().traffic(namespace, name, Traffic::success(100.0, 50.0));
    }
    Ok(keys)
}

/// The time to weight 0 in seconds, by its starting point.
struct Spans {
    verdict: Vec<f64>,
    first: Vec<f64>,
    breach: Vec<f64>,
}

/// Releases to all of them, and makes all their metrics bad.
async fn roll_back(bench: &Bench, keys: &[Key], progress: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Spans> {
    fleet::release(bench.bed.admin(), keys).await?;
    let turned = futures::future::try_join_all(keys.iter().map(|key| turn_bad(bench, key))).await?;
    progress("  all of them measured for the first time; waiting for the threshold");
    fleet::all_in(bench, keys, "rolled back", &|_| (), |state| state.phase == Some(Phase::Failed)).await?;
    let mut spans = Spans { verdict: vec![], first: vec![], breach: vec![] };
    for (key, bad_since) in keys.iter().zip(turned) {
        let times = Times::of(bench, key, bad_since)?;
        spans.verdict.push(seconds(times.decided, times.zero));
        spans.first.push(seconds(times.first_failed, times.zero));
        spans.breach.push(seconds(bad_since, times.zero));
    }
    Ok(spans)
}

fn how(releases: usize) -> String {
    format!(
        "{releases} Canaries, interval 10s, threshold 2; time in status against the time a watch shows the VirtualService with weight 0; median"
    )
}

fn figure(what: &str, how: &str, mut values: Vec<f64>) -> Figure {
    let (median, worst) = (quantile(&mut values, 0.5), quantile(&mut values, 1.0));
    Figure::new(what, how, median, "s").detail(format!("longest: {worst:.3} s"))
}

/// Makes the metrics bad as soon as the first weight is set. Returns the time.
async fn turn_bad(bench: &Bench, key: &Key) -> anyhow::Result<Timestamp> {
    wait::until("the first weight", LIMIT, async || (bench.record.last(key).canary_weight > 0).then_some(()))
        .await?;
    bench.bed.scripted().traffic(&key.0, &key.1, Traffic::success(0.0, 50.0));
    Ok(Timestamp::now())
}

struct Times {
    first_failed: Timestamp,
    decided: Timestamp,
    zero: Timestamp,
}

impl Times {
    fn of(bench: &Bench, key: &Key, bad_since: Timestamp) -> anyhow::Result<Self> {
        let states = bench.record.states(key);
        let first = states.iter().find(|state| state.failed_checks == 1).and_then(|state| state.step.clone());
        let ending = states.iter().find_map(|state| state.run.as_ref()?.ending.clone());
        let first_failed = first.and_then(|step| step.checked).context("no failed check was seen")?.0;
        let zero = bench.record.weighed(key, 0, bad_since).context("weight 0 was not seen")?;
        Ok(Self { first_failed, decided: ending.context("no rollback was seen")?.at.0, zero })
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}
