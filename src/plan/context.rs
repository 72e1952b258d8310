//! One admitted Canary with everything a decision needs, and questions that several phases ask.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    analysis::{Ask, Checks},
    api::{CanaryStatus, Phase, StepStatus},
    clock,
    manifest::{self, readiness::Rollout, revision, service},
    plan::{
        configs::{Checksums, Configs},
        model::{Answers, Messages, pod_shares},
        stored_times,
    },
    router::{self, Router, Selected, Split},
    snapshot::{ObjectRef, SERVICE, Snapshot},
    spec::{Apex, Findings, Problem, Step, Strategy, Validated},
    text::first_chars,
};

pub(crate) struct Context<'a> {
    pub(crate) snap: &'a Snapshot,
    pub(crate) answers: &'a Answers,
    pub(crate) now: Timestamp,
    /// The Canary is not accepted: it is watched, and no weight is raised.
    pub(crate) rejected: bool,
    /// It was not acted on until now: waits count from now on.
    pub(crate) resumed: bool,
    pub(crate) c: Validated,
    /// Its metrics, with their references.
    pub(crate) checks: Checks,
    /// Findings about it that are no reason not to act on it.
    pub(crate) findings: Findings,
    pub(crate) router: &'static dyn Router,
    pub(crate) messages: Messages,
    /// All queries of its metrics.
    pub(crate) asks: Vec<Ask>,
    /// The user's workload.
    pub(crate) target: &'a Value,
    /// Label by which the target selects its pods, and its value.
    pub(crate) label: (String, String),
    /// The configuration of the target's template.
    pub(crate) configs: Configs,
    /// The autoscaler that the Canary names, if it is valid.
    pub(crate) scaler: Option<&'a Value>,
    /// What is wrong with it, if it is not valid.
    pub(crate) scaler_problem: Option<Problem>,
    /// Current revision hash of the target's template and configuration.
    pub(crate) hash: String,
}

impl<'a> Context<'a> {
    pub(crate) fn status(&self) -> &CanaryStatus {
        // `admit` only makes a Context for a Canary whose status defaults to empty
        static NONE: std::sync::LazyLock<CanaryStatus> = std::sync::LazyLock::new(CanaryStatus::default);
        self.snap.canary.status.as_ref().unwrap_or(&NONE)
    }

    pub(crate) fn phase(&self) -> Phase {
        self.status().begun()
    }

    /// A new revision waits for permission to begin.
    pub(crate) fn waits_to_begin(&self) -> bool {
        self.phase() == Phase::Waiting && self.status().run.is_none()
    }

    pub(crate) fn step(&self) -> StepStatus {
        self.status().step.clone().unwrap_or_default()
    }

    /// The run is promoted without the rest of the analysis: by the spec, or by request.
    pub(crate) fn unanalysed(&self) -> bool {
        self.c.skip_analysis || self.status().run.as_ref().is_some_and(|run| run.finish.is_some())
    }

    /// Kind of the target, for texts.
    pub(crate) fn kind(&self) -> &str {
        &self.c.spec.target_ref.kind
    }

    pub(crate) fn primary(&self) -> Option<&'a Value> {
        self.snap.objects.get(self.c.target.kind(), self.c.target.primary_name(&self.c.names))
    }

    pub(crate) fn apex(&self) -> Option<&'a Value> {
        self.snap.objects.get(SERVICE, &self.c.names.apex)
    }

    /// The stored template with this hash.
    pub(crate) fn stored(&self, hash: Option<&str>) -> Option<&'a Value> {
        revision::find(&self.snap.objects, self.snap.uid(), hash?)
    }

    pub(crate) fn applied(&self) -> Option<&str> {
        self.status().last_applied_spec.as_deref()
    }

    pub(crate) fn promoted(&self) -> Option<&str> {
        self.status().last_promoted_spec.as_deref()
    }

    /// The checksums that belong to a revision.
    pub(crate) fn checksums_of(&self, hash: Option<&str>) -> Option<Checksums> {
        let now = self.configs.for_status()?;
        if hash == Some(self.hash.as_str()) {
            return Some(now);
        }
        Some(self.stored(hash).map(revision::checksums_of).unwrap_or_default())
    }

    /// Replicas that the target should have.
    pub(crate) fn target_replicas(&self) -> i64 {
        self.c.target.asked(self.target)
    }

    pub(crate) fn primary_replicas(&self) -> i64 {
        let kept = self.status().primary_replicas.map(i64::from);
        // somebody scaled it to 0: it keeps its former number
        let live = self.primary().map(manifest::replicas).filter(|live| *live > 0);
        live.or(kept).unwrap_or(1).max(1)
    }

    /// For status: if pods are counted in replicas.
    pub(crate) fn primary_replicas_kept(&self) -> Option<i32> {
        i32::try_from(self.primary_replicas()).ok().filter(|_| self.c.target.replicated())
    }

    pub(crate) fn primary_pods(&self) -> u32 {
        self.c.target.behind(self.snap, &self.c.names.primary_service)
    }

    pub(crate) fn canary_pods(&self) -> u32 {
        self.c.target.behind(self.snap, &self.c.names.canary_service)
    }

    /// The status of the workload shows no ready pod, or the workload is missing. Always false for kinds without pods of
    /// their own.
    pub(crate) fn none_ready(&self, workload: Option<&Value>) -> bool {
        self.c.target.none_ready(workload.unwrap_or(&Value::Null))
    }

    pub(crate) fn primary_rollout(&self) -> Rollout {
        let threshold = self.c.analysis.primary_ready_threshold.unwrap_or(100);
        self.primary().map_or_else(
            || Rollout::Waiting { why: "it does not exist yet".into() },
            |p| self.c.target.rollout(p, self.primary_pods(), threshold),
        )
    }

    pub(crate) fn target_rollout(&self) -> Rollout {
        let threshold = self.c.analysis.canary_ready_threshold.unwrap_or(100);
        let ready = self.c.target.behind(self.snap, &self.c.names.target);
        self.c.target.rollout(self.target, ready, threshold)
    }

    /// The split in the routing object; none while there is no route.
    pub(crate) fn live_split(&self) -> Option<Split> {
        self.router.read_back(&self.c, &self.snap.objects).ok()
    }

    /// The split of a step; if the router moves no traffic, all users are on the primary.
    pub(crate) fn split(&self, step: &StepStatus) -> Split {
        if !self.moves() {
            return Split::default();
        }
        let everyone = step.everyone && self.names_requests();
        if step.weight > 0 && !step.everyone && !step.audience.is_empty() && step.audience != self.audience()
        {
            // of other requests than those that are named now: what these met, the others have not
            return self.zero();
        }
        let split =
            Split::to_canary(self.possible(step.weight)).mirroring(step.mirrored).for_everyone(everyone);
        split.pinning(self.pins(step.index, step.weight))
    }

    /// Whether the requests of `analysis.always` and `never` are routed separately at this step: from the first one,
    /// whatever its weight, until the run ends or its traffic is on the new primary, and while both sides have pods.
    pub(crate) fn pins(&self, index: i32, weight: i32) -> bool {
        let ending = self.status().run.as_ref().is_some_and(|run| run.ending.is_some());
        let analysed = matches!(self.phase(), Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion);
        let asked = !self.c.analysis.always.is_empty() || !self.c.analysis.never.is_empty();
        let pods = self.canary_pods() > 0 && self.zero().canary() == 0;
        asked && pods && !ending && index > 0 && (weight > 0 || analysed) && !self.primary_is_replaced(weight)
    }

    /// All users are on the analysed pods, because the promotion may leave the primary without any.
    pub(crate) fn primary_is_replaced(&self, weight: i32) -> bool {
        self.phase() == Phase::Promoting && weight == 100 && self.replaces_at_once()
    }

    /// The promotion, or undoing it, may leave the primary without pods for a while.
    pub(crate) fn replaces_at_once(&self) -> bool {
        let undone = self.status().run.as_ref().is_some_and(|run| run.ending.is_some());
        let next = self.stored(if undone { self.promoted() } else { self.applied() });
        let both = self.primary().zip(next.and_then(revision::source_of));
        both.is_some_and(|(primary, source)| {
            let left = service::left_port(&self.c, primary, &source.template, &self.snap.objects);
            left.is_some() || self.c.target.replaced_at_once(primary, &source)
        })
    }

    /// The target starts no pods of a new template until somebody resumes it.
    pub(crate) fn is_paused(&self) -> bool {
        self.c.target.replicated() && self.target["spec"]["paused"] == true
    }

    /// Users can be moved, and should be.
    pub(crate) fn moves(&self) -> bool {
        self.router.shifts_traffic(&self.c)
    }

    /// The possible weight closest to this one: all or none if the apex is switched, whole pods
    /// if they are shared.
    pub(crate) fn possible(&self, weight: i32) -> i32 {
        match self.c.apex {
            Apex::Stays => weight,
            Apex::Switches => {
                if weight >= 100 {
                    100
                } else {
                    0
                }
            }
            Apex::Shares => pod_shares::possible(self.whole(), weight),
        }
    }

    /// The pods that the apex Service selects, if it is what moves users.
    pub(crate) fn selected(&self) -> Option<Selected> {
        router::selected(&self.c, &self.snap.objects)
    }

    /// The pods of both sides are shared: an apex that selects both follows by itself. It does not reach those of a target
    /// that was made again without their common label.
    pub(crate) fn selects_both(&self) -> bool {
        let reached = || self.canary_pods() == 0 || self.c.target.behind(self.snap, &self.c.names.apex) > 0;
        self.c.apex == Apex::Shares && self.selected() == Some(Selected::Both) && reached()
    }

    /// Replicas of the primary while it serves everyone: with shares of pods it has fewer during a run.
    pub(crate) fn whole(&self) -> i64 {
        let kept = self.status().primary_replicas.map(i64::from);
        let leaving = self.phase() == Phase::Terminating && self.selected() == Some(Selected::Both);
        let in_run = self.status().run.is_some() || leaving;
        let live = self.primary().map_or_else(|| self.target_replicas(), manifest::replicas);
        pod_shares::whole(kept, live, in_run)
    }

    /// The step's weight as shown in `status.canaryWeight`: percent of all requests. With A/B it is 0, whatever
    /// requests go there, as in Flagger.
    pub(crate) fn shown(&self, step: &StepStatus) -> i32 {
        if self.c.strategy == Strategy::AbTest && !step.everyone { 0 } else { step.weight }
    }

    /// The requests that a step applies to: `all`, or a digest of the conditions of the analysis.
    pub(crate) fn audience(&self) -> String {
        let analysis = &self.c.analysis;
        let named = if self.names_requests() {
            serde_json::to_value(&analysis.match_)
        } else if analysis.always.is_empty() && analysis.never.is_empty() {
            return "all".into();
        } else {
            serde_json::to_value((&analysis.always, &analysis.never))
        };
        first_chars(&revision::hash(&named.unwrap_or_default()), 12).to_owned()
    }

    pub(crate) fn names_requests(&self) -> bool {
        !self.c.analysis.match_.is_empty()
    }

    /// The current step with another wanted split, which is not confirmed yet.
    pub(crate) fn step_at(&self, split: Split) -> StepStatus {
        StepStatus {
            weight: split.canary(),
            mirrored: split.mirrored(),
            everyone: split.is_for_everyone(),
            confirmed: None,
            ..self.step()
        }
    }

    pub(crate) fn settle(&self) -> Duration {
        self.c.settle.or(self.snap.rules.settle).unwrap_or_else(|| self.router.settle())
    }

    /// When we last wrote the object. A time further in the future than possible was recorded by another clock: then
    /// the beginning of the current wait counts. None: between runs that is unknown too, and nothing waits for a clock
    /// to catch up.
    fn written(&self, object: &Value) -> Option<Timestamp> {
        let at = manifest::written(object)?;
        let ahead = at > clock::after(self.now, stored_times::TOLERANCE);
        let at = if ahead { self.waiting_since() } else { at };
        (!ahead || at <= self.now).then_some(at)
    }

    /// When the proxies have had time to apply the last change of the route.
    pub(crate) fn route_settled_at(&self) -> Timestamp {
        self.written_settled_at(&self.router.reads(&self.c))
    }

    /// When the proxies have had time to apply the last change of these objects.
    pub(crate) fn written_settled_at(&self, objects: &[ObjectRef]) -> Timestamp {
        let written = objects
            .iter()
            .filter_map(|at| self.snap.objects.at(at))
            .filter_map(|object| self.written(object))
            .max();
        written.map_or(Timestamp::MIN, |at| clock::after(at, self.settle()))
    }

    /// When the proxies have had time to learn of the Services behind the route: until then the route must not name
    /// them.
    pub(crate) fn sides_settled_at(&self) -> Timestamp {
        let sides = [&self.c.names.primary_service, &self.c.names.canary_service];
        self.written_settled_at(&sides.map(|name| ObjectRef::new(SERVICE, name.clone())))
    }

    /// When the proxies have had time to learn of the pods behind this Service, of which none was ready before. A time in
    /// the future is that of another clock: it is not waited for.
    pub(crate) fn pods_settled_at(&self, service: &str) -> Timestamp {
        let late = self.router.late_endpoints();
        let since = self.snap.ready_since.get(service).filter(|at| !late.is_zero() && **at <= self.now);
        since.map_or(Timestamp::MIN, |at| clock::after(*at, late))
    }

    /// When clients of the apex Service have had time to learn of its last change.
    pub(crate) fn apex_settled_at(&self) -> Timestamp {
        self.apex()
            .and_then(|apex| self.written(apex))
            .map_or(Timestamp::MIN, |at| clock::after(at, self.settle()))
    }

    /// When route and apex have both been unchanged for long enough to remove pods.
    pub(crate) fn settled_at(&self) -> Timestamp {
        self.route_settled_at().max(self.apex_settled_at())
    }

    /// Steps of the schedule that the run has taken. After an edit its weight may be below the first of them.
    pub(crate) fn steps_done(&self) -> usize {
        let step = self.step();
        let index = usize::try_from(step.index).unwrap_or(0);
        let below = || step.weight < self.possible(self.planned(1).weight);
        if index == 1 && below() { 0 } else { index }
    }

    /// The step with this index, from 1; the last one beyond it.
    pub(crate) fn planned(&self, index: i32) -> &Step {
        let all = &self.c.schedule;
        &all[usize::try_from(index).unwrap_or(1).clamp(1, all.len()) - 1]
    }

    /// Since when the current wait has lasted, according to the status.
    pub(crate) fn waiting_since(&self) -> Timestamp {
        let waiting = self.status().waiting.as_ref();
        if self.resumed {
            return self.now;
        }
        if self.waits_to_begin()
            && waiting.is_some_and(|w| w.revision.as_ref().is_some_and(|r| *r != self.hash))
        {
            return self.now;
        }
        // a status of an earlier version knows only the last change of phase or weight
        let former = || self.status().last_transition_time.as_ref().map_or(self.now, |t| t.0);
        waiting.map_or_else(former, |waiting| waiting.since.0)
    }

    /// The same for deadlines of pods: time in which the operator did not look does not count.
    pub(crate) fn standing_since(&self) -> Timestamp {
        self.counted_from(self.waiting_since())
    }

    /// From when a deadline counts that was recorded as beginning at `since`.
    pub(crate) fn counted_from(&self, since: Timestamp) -> Timestamp {
        if self.resumed { self.now } else { since.max(self.snap.watching_since.min(self.now)) }
    }

    /// Since when pods of the target have been awaited.
    pub(crate) fn pods_waited_since(&self) -> Timestamp {
        let since = self.status().step.as_ref().and_then(|step| step.pods_since.as_ref());
        self.counted_from(since.map_or(self.now, |since| since.0))
    }

    /// The Canary's spec has not been edited since it was last acted on.
    pub(crate) fn spec_seen(&self) -> bool {
        !self.resumed && self.status().observed_generation == self.snap.canary.metadata.generation
    }
}
