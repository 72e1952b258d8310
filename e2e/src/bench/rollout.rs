//! API calls of one whole rollout, undisturbed.

use jiff::Timestamp;
use serin::api::Phase;

use super::{Bench, Figure, LIMIT, fleet, record::Key};
use crate::{
    audit::Audit,
    bed::{Traffic, User},
    wait,
};

const NAMESPACE: &str = "rollout";

pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let key: Key = (NAMESPACE.to_owned(), "app".to_owned());
    bench.bed.namespace(NAMESPACE).await?;
    bench.bed.apply(NAMESPACE, fleet::objects("app", "5s", 2)).await?;
    fleet::all_in(bench, std::slice::from_ref(&key), "initialised", &|_| (), |state| {
        state.phase == Some(Phase::Initialized)
    })
    .await?;
    events(bench, 3).await?;
    bench.bed.scripted().traffic(NAMESPACE, "app", Traffic::success(100.0, 50.0));
    let from = Timestamp::now();
    fleet::release(bench.bed.admin(), std::slice::from_ref(&key)).await?;
    fleet::all_in(bench, std::slice::from_ref(&key), "promoted", &|_| (), |state| {
        state.phase == Some(Phase::Succeeded)
    })
    .await?;
    // new revision, start, five weights, copying, routing, promotion
    events(bench, 3 + 10).await?;
    let calls = bench.requests(from)?.beyond_watches().within(NAMESPACE);
    let how = "audit log, from the change of the image to the last Event, of 5 steps and 2 metrics at interval 5s; Events included";
    let mut figure =
        Figure::new("API calls per rollout", how, calls.count() as f64, "").target(40.0).flagger(171.7, "");
    for (kind, count) in calls.by_kind() {
        figure = figure.detail(format!("{count} {kind}"));
    }
    let refused = calls.only(|request| request.code >= 400).count();
    Ok(vec![figure.detail(format!("of these refused, and so in vain: {refused}"))])
}

/// Waits until the operator has said this much in the namespace.
async fn events(bench: &Bench, count: usize) -> anyhow::Result<()> {
    wait::until("Events", LIMIT, async || {
        let said =
            Audit::of(&bench.bed, User::Operator).ok()?.within(NAMESPACE).only(|r| r.resource == "events");
        (said.count() >= count).then_some(())
    })
    .await
}
