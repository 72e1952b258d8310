//! `--event-webhook`: sends all Events of Canaries to one receiver in the background, independently of its answers.

use anyhow::ensure;
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{
    Traffic,
    hooks::{Answer, Receiver},
    operator::Operator,
    story::{PATIENCE, Story},
    wait,
};

use crate::{Family, Shared, story};

pub(crate) const ALONE: Family = &[story!(everything_is_told_in_order_and_nobody_waits_for_the_listener)];

const PATH: &str = "/events";
/// Maximum number of Events while the receiver hangs: far more than the queue holds.
const MANY: usize = 1000;
const PROMOTED: &str = "Promotion completed!";

fn field<'b>(body: &'b Value, name: &str) -> &'b str {
    body["metadata"][name].as_str().unwrap_or_default()
}

/// Waits until the receiver has got this many promotions. Returns everything that it has got.
async fn promotions(listener: &Receiver, count: usize) -> anyhow::Result<Vec<Value>> {
    let heard = async || {
        let all = listener.received(PATH);
        let so_many = all.iter().filter(|body| field(body, "eventMessage").contains(PROMOTED)).count();
        (so_many == count).then_some(all)
    };
    wait::until(&format!("the listener to hear of {count} promotions"), PATIENCE, heard).await
}

async fn release(story: &Story<'_>, version: u32) -> anyhow::Result<()> {
    story.set_image("app", &format!("app:{version}")).await?;
    story.phase("app", Phase::Progressing).await?;
    story.phase("app", Phase::Succeeded).await.map(drop)
}

async fn dropped(operator: &Operator) -> anyhow::Result<u64> {
    let metrics = operator.metrics().await?;
    let line = metrics.lines().find_map(|l| l.strip_prefix("serin_event_webhooks_dropped_total "));
    Ok(line.map_or(0, |count| count.parse().unwrap_or_default()))
}

async fn everything_is_told_in_order_and_nobody_waits_for_the_listener(
    shared: &Shared,
) -> anyhow::Result<()> {
    let listener = Receiver::start().await?;
    shared.operator.lock().await.kill9().await?;
    let flag = format!("--event-webhook={}", listener.url(PATH));
    let mut operator = Operator::start(&shared.bed, &["--namespace=told", &flag], &[])?;
    operator.ready(PATIENCE).await?;
    // requests are answered in the status, one by one
    shared.observer.except("told", &["S15"]);
    let story = Story::new(&shared.bed, "told").await?;
    shared.bed.scripted().traffic("told", "app", Traffic::success(100.0, 50.0));
    story.initialised("app", |_| {}).await?;

    release(&story, 2).await?;
    let all = promotions(&listener, 1).await?;
    in_order(&all)?;
    let milestones = [
        "Initialization done! app.told",
        "New revision detected! Scaling up app.told",
        "Starting canary analysis for app.told",
        "Advance app.told canary weight 25",
        "Advance app.told canary weight 50",
        "Copying app.told template spec to app-primary.told",
        "Routing all traffic to primary",
        "Promotion completed! Scaling down app.told",
    ];
    let told: Vec<&str> = all.iter().map(|body| field(body, "eventMessage")).collect();
    let passed: Vec<&str> = told.into_iter().filter(|text| milestones.contains(text)).collect();
    ensure!(passed == milestones, "{passed:#?}");
    let last = all.iter().find(|body| field(body, "eventMessage").contains(PROMOTED)).cloned();
    let last = last.unwrap_or_default();
    ensure!(
        (&last["name"], &last["namespace"], &last["phase"])
            == (&json!("app"), &json!("told"), &json!("Succeeded")),
        "{last}"
    );
    ensure!(field(&last, "eventType") == "Normal", "{last}");

    listener.behave(PATH, Answer::Hangs);
    release(&story, 3).await?;
    // each is refused, with an Event
    for n in 0..MANY {
        if n % 20 == 0 && dropped(&operator).await? > 0 {
            break;
        }
        let request = json!({"metadata": {"annotations": {"serin.dev/request": format!("promote/{n}")}}});
        story.edit_canary("app", request).await?;
        let id = n.to_string();
        let answered = |c: &serin::api::Canary| {
            c.status.as_ref().and_then(|s| s.request.as_ref()).is_some_and(|known| known.id == id)
        };
        story.canary_that("app", answered).await?;
    }
    ensure!(dropped(&operator).await? > 0, "nothing was dropped, and nothing was heard");

    listener.answer(PATH, 200, "");
    promotions(&listener, 2).await?;
    release(&story, 4).await?;
    in_order(&promotions(&listener, 3).await?)?;

    drop(listener);
    release(&story, 5).await?;
    story.target("app").serving("5", PATIENCE).await?;
    operator.kill9().await
}

/// In their original order.
fn in_order(all: &[Value]) -> anyhow::Result<()> {
    let times: Vec<u64> =
        all.iter().map(|body| field(body, "timestamp").parse().unwrap_or_default()).collect();
    ensure!(times.is_sorted() && times.iter().all(|time| *time > 0), "told out of order: {all:#?}");
    Ok(())
}
