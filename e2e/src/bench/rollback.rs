//! From bad numbers to weight 0.

use anyhow::Context;
use jiff::Timestamp;
use serin::api::Phase;

use super::{Bench, Figure, LIMIT, figure::quantile, fleet, record::Key};
use crate::{bed::Traffic, wait};

/// As many as are released to at once; each turns bad when its first window begins.
const RELEASES: usize = 10;
const NAMESPACE: &str = "rollback";

pub(super) async fn measure(bench: &Bench, progress: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Vec<Figure>> {
    let keys: Vec<Key> = (0..RELEASES).map(|i| (NAMESPACE.to_owned(), format!("bad-{i}"))).collect();
    bench.bed.namespace(NAMESPACE).await?;
    let all = keys.iter().flat_map(|key| fleet::objects(&key.1, "10s", 2)).collect();
    bench.bed.apply(NAMESPACE, all).await?;
    fleet::all_in(bench, &keys, "initialised", &|_| (), |state| state.phase == Some(Phase::Initialized))
        .await?;
    for (namespace, name) in &keys {
        bench.bed.scripted().traffic(namespace, name, Traffic::success(100.0, 50.0));
    }
    fleet::release(bench.bed.admin(), &keys).await?;
    let turned = futures::future::try_join_all(keys.iter().map(|key| turn_bad(bench, key))).await?;
    progress("  all of them measured for the first time; waiting for the threshold");
    fleet::all_in(bench, &keys, "rolled back", &|_| (), |state| state.phase == Some(Phase::Failed)).await?;

    let (mut verdict, mut first, mut breach) = (Vec::new(), Vec::new(), Vec::new());
    for (key, bad_since) in keys.iter().zip(turned) {
        let times = Times::of(bench, key, bad_since)?;
        verdict.push(seconds(times.decided, times.zero));
        first.push(seconds(times.first_failed, times.zero));
        breach.push(seconds(bad_since, times.zero));
    }
    let how = format!(
        "{RELEASES} Canaries, interval 10s, threshold 2; time in status against the time a watch shows the VirtualService with weight 0; median"
    );
    let figure = |what: &str, mut values: Vec<f64>| {
        let (median, worst) = (quantile(&mut values, 0.5), quantile(&mut values, 1.0));
        Figure::new(what, how.clone(), median, "s").detail(format!("longest: {worst:.3} s"))
    };
    Ok(vec![
        figure("from the failing answer that reaches the threshold to weight 0", verdict).target(1.0),
        figure("from the first failing answer of Prometheus to weight 0", first),
        figure("from the breach to weight 0", breach).flagger(28.9, "").detail(
            "the numbers turn bad when the first window begins: two whole windows are the least it can take",
        ),
    ])
}

/// Lets the numbers turn bad as soon as the first weight stands; returns when.
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
