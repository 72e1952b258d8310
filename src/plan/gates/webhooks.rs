//! Calls of users' webhooks: when they are made, and the effect of their answers.
//!
//! Nothing here waits: a round of calls that a decision needs is part of the plan, and is made in the background when
//! the plan is carried out. The answers are in the next snapshot, under the place in the run where they were requested,
//! so that a late answer, or one about another revision or step, is never mistaken for an answer to this one.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::{
    api::{CanaryStatus, CanaryWebhook, Phase, duration},
    clock,
    plan::{
        builder::PlanBuilder,
        context::Context,
        history,
        model::{Call, HookKind, Note, Round, run_of},
    },
    snapshot::{Snapshot, WebhookReply, WebhookRound},
    spec::Strategy,
    text::first_chars,
};

/// Default time limit of a try; Flagger's.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many characters of a revision's hash a payload contains.
const CHECKSUM: usize = 10;
/// A yes counts for an interval, and at least this long: the action that needs it may take a moment.
const GOOD_FOR: Duration = Duration::from_secs(5);
/// The longest time that a call takes with all its tries.
const LONGEST: Duration = Duration::from_secs(3600);
/// The longest pause before a try is repeated.
const PAUSE: Duration = Duration::from_secs(30);

/// The result of a round.
pub(crate) enum Reply {
    /// All said yes, or there are none: their names.
    Yes(Vec<String>),
    /// This one refused.
    No(WebhookReply),
    /// They have not answered yet.
    Unheard,
}

fn of<'c>(cx: &'c Context<'_>, kind: HookKind) -> impl Iterator<Item = &'c CanaryWebhook> {
    cx.c.analysis.webhooks.iter().filter(move |hook| hook.kind() == kind.word())
}

/// There are webhooks of this type.
pub(crate) fn any(cx: &Context<'_>, kind: HookKind) -> bool {
    of(cx, kind).next().is_some()
}

/// The webhooks that are called before the next step.
pub(crate) fn before_next(cx: &Context<'_>) -> Vec<HookKind> {
    let next = cx.c.schedule.get(cx.steps_done());
    let switches = cx.c.strategy == Strategy::BlueGreen && next.is_some_and(|n| n.weight == 100);
    let rises =
        cx.c.strategy == Strategy::Weighted && !cx.step().mirrored && cx.phase() != Phase::WaitingPromotion;
    let mut kinds = Vec::new();
    if rises {
        kinds.push(HookKind::ConfirmTrafficIncrease);
    }
    if next.is_none() || switches {
        kinds.push(HookKind::ConfirmPromotion);
    }
    kinds
}

/// Their answers at this place since `since`; if they are unknown, the plan calls them. A closed gate is
/// called again after an interval, and stays closed until its answer changes.
pub(crate) fn ask(cx: &Context<'_>, d: &mut PlanBuilder, kind: HookKind, since: Timestamp) -> Reply {
    let Some(heard) = heard(cx, kind, since) else {
        if any(cx, kind) {
            call_for(cx, d, kind);
            return Reply::Unheard;
        }
        return Reply::Yes(vec![]);
    };
    history::called(cx, d, kind, heard);
    let Some(said) = refusal(heard) else {
        return Reply::Yes(heard.said.iter().map(|said| said.name.clone()).collect());
    };
    let again = clock::after(heard.at, cx.c.interval);
    if cx.now < again {
        d.wake_at(again);
    } else if kind.is_gate() {
        call_for(cx, d, kind);
    }
    Reply::No(said.clone())
}

fn call_for(cx: &Context<'_>, d: &mut PlanBuilder, kind: HookKind) {
    d.calls.push(round(cx, kind));
    d.wake_at(clock::after(cx.now, cx.c.interval));
}

/// The webhook that requests a rollback of this run, if one does.
pub(crate) fn rollback(cx: &Context<'_>, d: &mut PlanBuilder) -> Option<String> {
    if !any(cx, HookKind::Rollback) {
        return None;
    }
    let Some(heard) = heard(cx, HookKind::Rollback, Timestamp::MIN) else {
        call_for(cx, d, HookKind::Rollback);
        return None;
    };
    let again = clock::after(heard.at, cx.c.interval);
    if cx.now < again {
        d.wake_at(again);
    } else {
        call_for(cx, d, HookKind::Rollback);
    }
    let yes = heard.said.iter().find(|said| said.answer.is_ok())?;
    history::called(cx, d, HookKind::Rollback, heard);
    Some(yes.name.clone())
}

/// A webhook has requested a rollback of this run.
pub(crate) fn rolls_back(cx: &Context<'_>) -> bool {
    let heard = heard(cx, HookKind::Rollback, Timestamp::MIN);
    any(cx, HookKind::Rollback)
        && heard.is_some_and(|heard| heard.said.iter().any(|said| said.answer.is_ok()))
}

/// Webhooks of this type have recently answered at this place, or there are none.
pub(crate) fn known(cx: &Context<'_>, kind: HookKind) -> bool {
    !any(cx, kind) || heard(cx, kind, Timestamp::MIN).is_some()
}

/// When webhooks of this type that have refused at this place are called again.
pub(crate) fn asked_again_at(cx: &Context<'_>, kind: HookKind) -> Option<Timestamp> {
    let heard = cx.snap.heard.get(&place(cx, kind)).filter(|heard| refusal(heard).is_some())?;
    // the clock has gone back since: the answer does not count, and they are called at once
    if heard.at > cx.now {
        return None;
    }
    Some(clock::after(heard.at, cx.c.interval))
}

fn refusal(heard: &WebhookRound) -> Option<&WebhookReply> {
    heard.said.iter().find(|said| said.answer.is_err())
}

/// The answers at this place from the current webhooks, if they came after `since` and still count.
fn heard<'s>(cx: &Context<'s>, kind: HookKind, since: Timestamp) -> Option<&'s WebhookRound> {
    let heard = cx.snap.heard.get(&place(cx, kind))?;
    let is_current = since <= heard.at && heard.at <= cx.now;
    let counts = is_current
        && !is_expired(cx, kind, heard)
        && is_of_spec(cx, kind, heard)
        && covers_all(cx, kind, heard);
    counts.then_some(heard)
}

/// A refusal counts until there is a newer answer, anything else for an interval and for as long as the other webhooks
/// that have to agree take: otherwise two that are slow would be called in turn without end.
fn is_expired(cx: &Context<'_>, kind: HookKind, heard: &WebhookRound) -> bool {
    let lasts = refusal(heard).is_some() && kind != HookKind::Rollback;
    !lasts
        && cx.now >= clock::after(heard.at, cx.c.interval.max(GOOD_FOR).saturating_add(others_take(cx, kind)))
}

/// The time that webhooks of the other types take which are called at this place of the run.
fn others_take(cx: &Context<'_>, kind: HookKind) -> Duration {
    let mut asked = vec![HookKind::Rollback, HookKind::Rollout];
    if cx.step().index == 0 {
        asked.push(HookKind::PreRollout);
    }
    asked.extend(before_next(cx));
    if !asked.contains(&kind) {
        return Duration::ZERO;
    }
    let others = asked.into_iter().filter(|other| *other != kind);
    others.map(|other| takes(cx, other)).fold(Duration::ZERO, Duration::saturating_add)
}

/// How long a round of this type took the last time in this run; how long it may take, if it has not answered yet.
fn takes(cx: &Context<'_>, kind: HookKind) -> Duration {
    let Some(heard) = cx.snap.heard.get(&place(cx, kind)) else {
        let longest = |hook: &CanaryWebhook| {
            let pauses = PAUSE.saturating_mul(tries(hook) - 1);
            timeout(hook).saturating_mul(tries(hook)).saturating_add(pauses).min(LONGEST)
        };
        return of(cx, kind).map(longest).fold(Duration::ZERO, Duration::saturating_add);
    };
    let began = heard.said.iter().map(|said| said.course.asked).min().unwrap_or(heard.at);
    Duration::try_from(heard.at.duration_since(began)).unwrap_or_default()
}

/// The webhooks that have answered are the first of those in the current spec.
fn is_of_spec(cx: &Context<'_>, kind: HookKind, heard: &WebhookRound) -> bool {
    let named = |hook: &'_ CanaryWebhook| (hook.name.clone(), hook.url.clone());
    let said = heard.said.iter().map(|said| (said.name.clone(), said.url.clone()));
    said.eq(of(cx, kind).map(named).take(heard.said.len()))
}

/// All of them have answered, unless one answer ends the round.
fn covers_all(cx: &Context<'_>, kind: HookKind, heard: &WebhookRound) -> bool {
    let ended = refusal(heard).is_some() || kind == HookKind::Rollback;
    ended || heard.said.len() == of(cx, kind).count()
}

/// The revision that it is about.
fn revision<'c>(cx: &'c Context<'_>, kind: HookKind) -> &'c str {
    if kind == HookKind::ConfirmRollout { &cx.hash } else { cx.applied().unwrap_or_default() }
}

/// Zeros while there is no revision yet.
fn checksum(hash: &str) -> String {
    format!("{:0<CHECKSUM$}", first_chars(hash, CHECKSUM))
}

fn place(cx: &Context<'_>, kind: HookKind) -> String {
    format!("{}{}/{}", run_of(cx.snap), checksum(revision(cx, kind)), kind.word())
}

fn round(cx: &Context<'_>, kind: HookKind) -> Round {
    // from the status alone, so that another process continues the count
    let status = cx.status();
    let changed = || status.last_transition_time.as_ref().map_or(cx.now, |time| time.0);
    let began = status.run.as_ref().map_or_else(changed, |run| run.started.0);
    let elapsed = cx.now.duration_since(began).as_millis().max(0);
    let attempt = elapsed / i128::try_from(cx.c.interval.as_millis()).unwrap_or(1).max(1) + 1;
    let id = format!("{}{attempt}", run_of(cx.snap));
    let calls = of(cx, kind).map(|hook| call(cx, kind, hook, &id)).collect();
    Round { kind, place: place(cx, kind), calls }
}

fn call(cx: &Context<'_>, kind: HookKind, hook: &CanaryWebhook, id: &str) -> Call {
    let phase = match kind {
        HookKind::ConfirmRollout | HookKind::Rollback | HookKind::PostRollout => cx.phase(),
        _ => Phase::Progressing,
    };
    let mut body = json!({
        "name": cx.c.name, "namespace": cx.c.namespace, "phase": phase, "checksum": checksum(revision(cx, kind)),
    });
    if !hook.metadata.is_empty() {
        body["metadata"] = json!(hook.metadata);
    }
    Call {
        name: hook.name.clone(),
        url: hook.url.clone(),
        body,
        id: id.to_owned(),
        timeout: timeout(hook),
        retries: tries(hook) - 1,
        any_certificate: hook.disable_tls == Some(true),
    }
}

fn tries(hook: &CanaryWebhook) -> u32 {
    hook.retries.and_then(|n| u32::try_from(n).ok()).unwrap_or(0).saturating_add(1)
}

fn timeout(hook: &CanaryWebhook) -> Duration {
    hook.timeout.as_deref().and_then(duration::parse).filter(|t| !t.is_zero()).unwrap_or(TIMEOUT)
}

/// The calls that send this note, with this status, to webhooks of the type `event`; users cannot set `eventMessage`,
/// `eventType` and `timestamp`.
pub fn event_calls(
    snap: &Snapshot,
    status: Option<&CanaryStatus>,
    note: &Note,
    now: Timestamp,
    everyone: Option<&str>,
) -> Vec<Call> {
    let canary = &snap.canary;
    let own = canary.analysis().map(|a| a.webhooks.as_slice()).unwrap_or_default();
    let mut hooks: Vec<CanaryWebhook> = own.iter().filter(|h| h.kind() == "event").cloned().collect();
    if let (true, Some(url)) = (hooks.is_empty(), everyone) {
        hooks.push(CanaryWebhook {
            name: "event-webhook".into(),
            url: url.into(),
            ..CanaryWebhook::default()
        });
    }
    let hash = status.and_then(|s| s.last_applied_spec.as_deref()).unwrap_or_default();
    let call = |hook: &CanaryWebhook| {
        let mut metadata = json!(hook.metadata);
        metadata["eventMessage"] = json!(note.for_events());
        metadata["eventType"] = json!(note.severity.word());
        metadata["timestamp"] = json!(now.as_millisecond().to_string());
        Call {
            name: hook.name.clone(),
            url: hook.url.clone(),
            body: json!({
                "name": canary.metadata.name, "namespace": canary.metadata.namespace, "phase": note.phase,
                "checksum": checksum(hash), "metadata": metadata,
            }),
            id: format!("{}{}", run_of(snap), now.as_nanosecond()),
            timeout: timeout(hook),
            retries: 0,
            any_certificate: hook.disable_tls == Some(true),
        }
    };
    hooks.iter().map(call).collect()
}
