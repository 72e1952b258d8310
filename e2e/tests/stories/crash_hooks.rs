//! A release with webhooks of every type and a manual gate, to be interrupted: its objects, the opening of the gate,
//! and the requests that the webhooks' receiver must not have seen.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    hooks::{Posted, Receiver},
    story::{PATIENCE, Story},
    wait,
};
use tokio::sync::OnceCell;

/// One receiver for all cases, so that their objects are equal.
static RECEIVER: OnceCell<Receiver> = OnceCell::const_new();

const EVENT: &str = "event";
const POST_ROLLOUT: &str = "post-rollout";
const KINDS: [&str; 8] = [
    "confirm-rollout",
    "pre-rollout",
    "rollout",
    "confirm-traffic-increase",
    "confirm-promotion",
    "rollback",
    POST_ROLLOUT,
    EVENT,
];

async fn receiver() -> anyhow::Result<&'static Receiver> {
    RECEIVER.get_or_try_init(Receiver::start).await
}

fn path(story: &Story<'_>, kind: &str) -> String {
    format!("/{}/{kind}", story.namespace)
}

/// Two steps, the first with a gate, and a webhook of each type. All of them accept, and the rollback webhook asks for
/// no rollback.
pub(crate) async fn hook(story: &Story<'_>, analysis: &mut Value) -> anyhow::Result<()> {
    let receiver = receiver().await?;
    receiver.answer(&path(story, "rollback"), 403, "");
    let hooks: Vec<Value> = KINDS
        .iter()
        .map(|kind| json!({"name": kind, "type": kind, "url": receiver.url(&path(story, kind))}))
        .collect();
    analysis["webhooks"] = json!(hooks);
    analysis["steps"] = json!([{"weight": 25, "gate": {"name": "qa"}}, {"weight": 50}]);
    Ok(())
}

/// Opens the gate when the run reaches it, and waits for the end. Repeating this changes nothing.
pub(crate) async fn ended(story: &Story<'_>) -> anyhow::Result<()> {
    let at_gate = |c: &Canary| {
        let Some(status) = &c.status else { return false };
        let waits =
            status.phase == Some(Phase::Waiting) && status.step.as_ref().is_some_and(|s| s.index == 1);
        waits || status.request.is_some()
    };
    story.canary_that("app", at_gate).await.context("waiting for the gate")?;
    let request = json!({"metadata": {"annotations": {"serin.dev/request": "approve/qa"}}});
    story.edit_canary("app", request).await?;
    let over = |c: &Canary| {
        c.status.as_ref().is_some_and(|s| s.phase == Some(Phase::Succeeded) && !s.post_rollout_due)
    };
    story.canary_that("app", over).await.context("waiting for the end of the release").map(drop)
}

/// The requests of this story, with their types.
async fn posted(story: &Story<'_>) -> anyhow::Result<Vec<(String, Posted)>> {
    let head = format!("/{}/", story.namespace);
    let all = receiver().await?.all().into_iter();
    Ok(all.filter_map(|p| Some((p.path.strip_prefix(&head)?.to_owned(), p))).collect())
}

/// Every webhook was called, despite all crashes. Repeated calls have the same id. No end was reported before there was
/// one.
pub(crate) async fn heard_rightly(story: &Story<'_>) -> anyhow::Result<()> {
    // Events come last
    let last = AtomicUsize::new(usize::MAX);
    let quiet = async || {
        let now = posted(story).await.ok()?.len();
        (last.swap(now, Ordering::Relaxed) == now).then_some(())
    };
    wait::until("no more webhooks", PATIENCE, quiet).await?;
    let all = posted(story).await?;
    for kind in KINDS {
        ensure!(all.iter().any(|(of, _)| of == kind), "{kind} was never called");
    }
    let mut asked: BTreeMap<(&str, &str), &Value> = BTreeMap::new();
    let mut places: BTreeMap<&str, (i64, i64, i64)> = BTreeMap::new();
    for (kind, posted) in all.iter().filter(|(kind, _)| kind != EVENT) {
        let about = &posted.body["checksum"];
        let known = asked.insert((kind.as_str(), posted.id.as_str()), about);
        ensure!(known.is_none_or(|known| known == about), "{kind} {}: two questions", posted.id);
        let place = place(&posted.id).with_context(|| format!("{kind}: id {}", posted.id))?;
        let before = places.insert(kind.as_str(), place);
        ensure!(before.is_none_or(|before| before <= place), "{kind}: {before:?}, then {place:?}");
    }
    let is_post = |kind: &str| kind == POST_ROLLOUT;
    let told = all.iter().position(|(kind, _)| is_post(kind)).context("post-rollout")?;
    let after = all[told..].iter().find(|(kind, _)| !is_post(kind) && kind != EVENT);
    ensure!(after.is_none(), "post-rollout was told, and then asked {after:?}");
    let posts: Vec<&Posted> = all.iter().filter(|(kind, _)| is_post(kind)).map(|(_, p)| p).collect();
    let head = |posted: &Posted| posted.id.rsplit_once('/').map(|(head, _)| head.to_owned());
    for post in &posts {
        ensure!(post.body["phase"] == "Succeeded", "post-rollout was told {}", post.body);
        ensure!(head(post) == head(posts[0]), "post-rollout as {} and {}", post.id, posts[0].id);
    }
    Ok(())
}

/// Run, step and attempt in a request id.
fn place(id: &str) -> Option<(i64, i64, i64)> {
    let mut parts = id.split('/').skip(1).map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}
