//! Helpers for stories about bad input: a run held at 25 %, a detailed check of a refusal, a healthy Canary in the same
//! namespace, and the operator's writes according to the API server.

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Traffic, User,
    story::{PATIENCE, Story, canary, deployment},
};

use crate::Shared;

/// A new story with good metrics for `app`, with or without traffic.
pub(crate) async fn story<'a>(shared: &'a Shared, namespace: &str) -> anyhow::Result<Story<'a>> {
    shared.bed.scripted().traffic(namespace, "app", Traffic::success(100.0, 50.0));
    shared.bed.scripted().traffic(namespace, "well", Traffic::success(100.0, 50.0));
    Story::new(&shared.bed, namespace).await
}

/// A run of `app` from version 1 to 2 that stays at 25 % until [`go_on`], because its window lasts an hour.
pub(crate) async fn held_at_25<'a>(
    shared: &'a Shared,
    namespace: &str,
    edit: impl FnOnce(&mut Value),
) -> anyhow::Result<Story<'a>> {
    let story = story(shared, namespace).await?;
    let slow = |c: &mut Value| {
        c["spec"]["analysis"]["interval"] = json!("60m");
        edit(c);
    };
    story.initialised("app", slow).await?;
    story.target("app").serving("1", PATIENCE).await?;
    story.set_image("app", "app:2").await?;
    story.canary_that("app", |c| weight(c) == 25).await.context("waiting for the first step")?;
    Ok(story)
}

/// From now on, windows last a second.
pub(crate) async fn pace(story: &Story<'_>) -> anyhow::Result<()> {
    story.edit_canary("app", json!({"spec": {"analysis": {"interval": "1s"}}})).await
}

/// Windows of a second, and a successful end of the run: users get version 2.
pub(crate) async fn go_on(story: &Story<'_>) -> anyhow::Result<()> {
    pace(story).await?;
    ends_well(story).await
}

/// The run ends successfully: users get version 2, from the primary.
pub(crate) async fn ends_well(story: &Story<'_>) -> anyhow::Result<()> {
    story.phase("app", Phase::Succeeded).await?;
    story.target("app").serving("2", PATIENCE).await?;
    ensure!(story.weight("app").await? == Some(0), "weight after the end");
    ensure!(story.replicas("app").await? == Some(0), "replicas of the target after the end");
    Ok(())
}

/// A healthy Canary in the same namespace is initialised, and its next release promoted.
pub(crate) async fn well_goes_on(story: &Story<'_>) -> anyhow::Result<()> {
    let mut well = canary("well");
    well["spec"]["service"]["gateways"] = json!([]);
    story.apply(vec![deployment("well", "well:1", 1), well]).await?;
    story.phase("well", Phase::Initialized).await?;
    story.set_image("well", "well:2").await?;
    story.phase("well", Phase::Succeeded).await.context("the healthy Canary beside")?;
    Ok(())
}

/// Waits until the Canary is refused for `reason`, with a message that contains all of `words`, and an Event with the
/// same message.
pub(crate) async fn refused(
    story: &Story<'_>,
    name: &str,
    reason: &str,
    words: &[&str],
) -> anyhow::Result<Canary> {
    stands(story, name, "Accepted", "False", reason, words).await
}

/// Waits for a condition with this reason and all of `words`, and for an Event with the same message.
pub(crate) async fn stands(
    story: &Story<'_>,
    name: &str,
    type_: &str,
    status: &str,
    reason: &str,
    words: &[&str],
) -> anyhow::Result<Canary> {
    let message = |c: &Canary| {
        let mut all = c.status.iter().flat_map(|s| &s.conditions);
        let found = all.find(|k| k.type_ == type_ && k.status == status && k.reason == reason);
        found.map(|k| k.message.clone()).filter(|m| words.iter().all(|word| m.contains(word)))
    };
    let seen = story.canary_that(name, |c| message(c).is_some()).await;
    let seen = seen.with_context(|| format!("waiting for {type_}={status}, {reason}, with {words:?}"))?;
    story.event(name, words.first().copied().unwrap_or_default()).await?;
    Ok(seen)
}

/// Waits until the Canary is accepted again.
pub(crate) async fn accepted(story: &Story<'_>, name: &str) -> anyhow::Result<()> {
    story.condition(name, "Accepted", "True", "").await.map(drop)
}

/// The weight in status.
pub(crate) fn weight(canary: &Canary) -> i32 {
    canary.status.as_ref().map_or(0, |s| s.canary_weight)
}

/// Failed checks in status.
pub(crate) fn failed_checks(canary: &Canary) -> i32 {
    canary.status.as_ref().map_or(0, |s| s.failed_checks)
}

/// The run stays at 25 %, in status and in the route, without a failed check.
pub(crate) async fn untouched_at_25(story: &Story<'_>) -> anyhow::Result<()> {
    let canary: Canary = story.api().get("app").await?;
    let phase = canary.status.as_ref().and_then(|s| s.phase);
    ensure!(phase == Some(Phase::Progressing), "phase {phase:?}");
    ensure!((weight(&canary), failed_checks(&canary)) == (25, 0), "status {:?}", canary.status);
    let route = story.weight("app").await?;
    ensure!(route == Some(25), "the route says {route:?}");
    Ok(())
}

/// Removes a field from an object.
pub(crate) fn without(mut object: Value, parent: &str, field: &str) -> Value {
    if let Some(parent) = object.pointer_mut(parent).and_then(Value::as_object_mut) {
        parent.remove(field);
    }
    object
}

/// The operator's writes in the story's namespace to objects with a name that starts with `prefix`, as `verb
/// resource/name`. Leaves out Events, the status of Canaries and the records of their runs.
pub(crate) fn writes(story: &Story<'_>, prefix: &str) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(story.bed.audit_log()).context("reading the audit log")?;
    let mut writes = Vec::new();
    for line in text.lines() {
        // the last line may be incomplete
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        let (verb, at) = (entry["verb"].as_str().unwrap_or_default(), &entry["objectRef"]);
        let ours =
            entry["user"]["username"] == User::Operator.name() && at["namespace"] == story.namespace.as_str();
        if !ours
            || matches!(verb, "get" | "list" | "watch")
            || ["events", "canaryruns"].iter().any(|told| at["resource"] == *told)
        {
            continue;
        }
        if at["resource"] == "canaries" && at["subresource"] == "status" {
            continue;
        }
        // the name of a created object is only in the answer
        let name = at["name"].as_str().unwrap_or(prefix);
        if name.starts_with(prefix) {
            writes.push(format!("{verb} {}/{name}", at["resource"].as_str().unwrap_or_default()));
        }
    }
    Ok(writes)
}

/// The operator wrote only the status, and added no finalizer.
pub(crate) async fn left_alone(story: &Story<'_>, name: &str) -> anyhow::Result<()> {
    let written = writes(story, name)?;
    ensure!(written.is_empty(), "written although refused: {written:?}");
    let canary: Canary = story.api().get(name).await?;
    ensure!(canary.metadata.finalizers.is_none(), "finalizers: {:?}", canary.metadata.finalizers);
    Ok(())
}
