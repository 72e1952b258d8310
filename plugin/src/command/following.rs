//! Judges a release that is followed, look by look.

use serde_json::Value;
use serin::{
    api::{CanaryStatus, Phase},
    names::conditions,
};

use super::context::now;
use crate::{
    failure::{Failure, code},
    view::{End, Facts, Settled, WaitingKind, canary, ended_run, outdated, settled, template},
};

/// When to stop waiting.
#[derive(Clone, Debug, Default)]
pub(super) struct Until {
    pub(super) gate: bool,
    pub(super) fail_on_gate: bool,
    pub(super) revision: Option<String>,
    pub(super) timeout: Option<std::time::Duration>,
}

/// What has been seen of a release so far.
#[derive(Debug, Default)]
pub(super) struct Following {
    /// The run that is followed.
    ran: Option<i64>,
    /// The target's template when the wait began. A run of another template is not the one that is waited for.
    wanted: Option<Value>,
    until: Until,
}

/// The result of a wait: a text or a failure.
pub(super) type Ended = Result<String, Failure>;

impl Following {
    pub(super) fn until(until: Until) -> Self {
        Self { until, ..Self::default() }
    }

    /// None: there is still something to wait for.
    pub(super) fn look(&mut self, facts: &Facts) -> Option<Ended> {
        let status = facts.status();
        let same = self.is_same(facts);
        if under_way(&status)
            && let Some(other) = self.other_revision(facts, &status)
        {
            return Some(Err(other));
        }
        if let Some(ended) = self.overtaken(facts, &status, same) {
            return Some(ended);
        }
        if let Some(ended) = self.at_gate(facts) {
            return Some(ended);
        }
        match settled(facts, self.ran, same) {
            Settled::No(_) => None,
            Settled::Yes(End::Failed(text)) => Some(Err(failed(facts, &text, last(&status)))),
            Settled::Yes(End::Promoted(text)) => Some(match self.other_revision(facts, &status) {
                Some(other) => Err(other),
                None if self.ran.is_none() && same == Some(false) => Err(given_another(facts)),
                None => Ok(text),
            }),
        }
    }

    /// Whether the target has the template that it had when the wait began. None: it cannot be read.
    fn is_same(&mut self, facts: &Facts) -> Option<bool> {
        let now = template(facts)?;
        Some(self.wanted.get_or_insert_with(|| now.clone()) == now)
    }

    /// The revision on trial, or at rest the last one, is not the one that the user names.
    fn other_revision(&self, facts: &Facts, status: &CanaryStatus) -> Option<Failure> {
        let waiting = status.waiting.as_ref().and_then(|waiting| waiting.revision.as_deref());
        let waiting = waiting.filter(|_| status.run.is_none() && status.begun() == Phase::Waiting);
        let revision = waiting.or(status.last_applied_spec.as_deref()).unwrap_or_default();
        let wanted = self.until.revision.as_deref().filter(|wanted| !revision.starts_with(*wanted))?;
        let revision: String = revision.chars().take(12).collect();
        let what = if under_way(status) { "the one that is analysed" } else { "the one that was analysed" };
        let verb = if under_way(status) { "is" } else { "was" };
        Some(Failure::failed(format!("{}: revision {wanted} is not {what}: {revision} {verb}", place(facts))))
    }

    /// The run that is followed is over, and the target has been given another template meanwhile. A run of the template
    /// that it had when the wait began is followed in its place.
    fn overtaken(&mut self, facts: &Facts, status: &CanaryStatus, same: Option<bool>) -> Option<Ended> {
        let next = status.run.as_ref().map(|run| run.number);
        let Some(ran) = self.ran.filter(|ran| next != Some(*ran)) else {
            if self.ran.is_none() && next.is_some() && same == Some(false) {
                return Some(Err(given_another(facts)));
            }
            self.ran = next.or(self.ran);
            return None;
        };
        let untold = same.is_none() && under_way(status) && facts.failed.is_empty();
        if same == Some(false) || untold {
            return Some(match ended_run(status, ran) {
                End::Promoted(text) => Ok(text),
                End::Failed(text) => Err(failed(facts, &text, Some(ran))),
            });
        }
        self.ran = next.filter(|_| same == Some(true)).or(self.ran);
        None
    }

    /// The release waits for a person.
    fn at_gate(&self, facts: &Facts) -> Option<Ended> {
        // the gate of a run that is about to start over is not the one of the target's revision
        if !self.until.gate && !self.until.fail_on_gate || outdated(facts) == Some(true) {
            return None;
        }
        let view = canary(facts, now());
        let waits = view.waiting_for.filter(|w| {
            matches!(w.kind, WaitingKind::Gate | WaitingKind::Person)
                || w.kind == WaitingKind::Promotion && w.on_deadline != Some("proceed")
        })?;
        let command = waits.commands.first().map(|c| c.command.clone()).unwrap_or_default();
        if self.until.gate {
            return Some(Ok(format!("{}: {command}", waits.text)));
        }
        Some(Err(Failure::new(code::GATE, format!("{} {}", place(facts), waits.text)).hint(command)))
    }
}

fn place(facts: &Facts) -> String {
    format!("canary {}/{}", facts.namespace(), facts.name())
}

/// A run is in progress, or a revision waits to begin one.
fn under_way(status: &CanaryStatus) -> bool {
    status.run.is_some() || status.begun() == Phase::Waiting
}

/// The run to look at after a failure, if none is in progress. A declined revision has none.
fn last(status: &CanaryStatus) -> Option<i64> {
    let declined = status.conditions.iter().any(|c| c.reason == conditions::DECLINED);
    status.last_run.as_ref().filter(|_| status.run.is_none() && !declined).map(|last| last.number)
}

fn failed(facts: &Facts, text: &str, run: Option<i64>) -> Failure {
    let failure = Failure::failed(format!("{}: {text}", place(facts)));
    let (name, namespace) = (facts.name(), facts.namespace());
    match run {
        Some(run) => {
            failure.hint(format!("see \"kubectl canary history {name} -n {namespace} --run {run}\""))
        }
        None => failure,
    }
}

fn given_another(facts: &Facts) -> Failure {
    failed(
        facts,
        "the target was given another template before the one that was waited for was analysed",
        None,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::view::{FIXTURES, fixture};

    fn ended(name: &str, until: Until) -> Option<Ended> {
        Following::until(until).look(&fixture(name))
    }

    /// 0, the exit code of a failure, or None while there is something to wait for.
    fn exit(ended: Option<Ended>) -> Option<u8> {
        ended.map(|ended| ended.map_or_else(|failure| failure.code, |_| 0))
    }

    #[test]
    fn each_state_ends_a_wait_or_does_not() {
        let none = || Until::default();
        let gate = || Until { gate: true, ..Until::default() };
        let fails = || Until { fail_on_gate: true, ..Until::default() };
        for name in FIXTURES {
            let wanted = match name {
                "initialized" | "succeeded" => [Some(0); 3],
                "failed" | "declined" | "refused" | "deleting" => [Some(1); 3],
                // one of these continues by itself without an answer, but still counts as a gate
                "gate" | "start-gate" | "promotion" | "inconclusive" => [None, Some(0), Some(4)],
                _ => [None; 3],
            };
            let is = [none(), gate(), fails()].map(|until| exit(ended(name, until)));
            assert_eq!(is, wanted, "{name}: ended, --for gate, --fail-on-gate");
        }
    }

    #[test]
    fn exit_code_0_promoted() {
        assert_eq!(ended("succeeded", Until::default()), Some(Ok("promoted in 9m12s (run app-6)".into())));
    }

    #[test]
    fn exit_code_1_rolled_back_names_run_and_command() {
        let Some(Err(failure)) = ended("failed", Until::default()) else { panic!("not ended") };
        assert_eq!(failure.code, 1);
        assert_eq!(
            failure.text(),
            "error: canary shop/app: it was rolled back: failed checks 5/5: Halt app.shop advancement request \
             duration 512ms > 500ms (run app-7)\n  see \"kubectl canary history app -n shop --run 7\""
        );
    }

    #[test]
    fn exit_code_1_a_declined_revision_says_why_and_names_no_run() {
        let Some(Err(failure)) = ended("declined", Until::default()) else { panic!("not ended") };
        let text = "error: canary shop/app: The revision did not start a run: asked for by ann.";
        assert_eq!((failure.code, failure.text().as_str()), (1, text));
    }

    #[test]
    fn exit_code_4_a_person_is_waited_for() {
        let until = Until { fail_on_gate: true, ..Until::default() };
        let Some(Err(failure)) = ended("gate", until) else { panic!("not ended") };
        assert_eq!(failure.code, 4);
        assert!(failure.text().contains("kubectl canary approve app -n shop"), "{}", failure.text());
    }

    #[test]
    fn a_target_that_the_operator_has_not_seen_is_not_the_end() {
        let mut facts = fixture("succeeded");
        facts.objects[0]["metadata"]["generation"] = json!(13);
        assert_eq!(Following::default().look(&facts), None);
        // a Canary that was created again starts from the beginning
        facts.objects[0]["metadata"]["generation"] = json!(12);
        facts.objects[0]["metadata"]["uid"] = json!("other");
        assert_eq!(Following::default().look(&facts), None);
        let mut edited = fixture("succeeded");
        edited.canary.metadata.generation = Some(4);
        assert_eq!(Following::default().look(&edited), None);
    }

    #[test]
    fn what_became_of_the_run_that_was_waited_for_counts() {
        let mut following = Following::default();
        assert_eq!(following.look(&fixture("progressing")), None);
        let mut facts = fixture("succeeded");
        let last = facts.canary.status.as_mut().and_then(|status| status.last_run.as_mut()).unwrap();
        (last.number, last.name) = (7, "app-7".into());
        assert_eq!(exit(following.look(&facts)), Some(0));
        let last = facts.canary.status.as_mut().and_then(|status| status.last_run.as_mut()).unwrap();
        last.outcome = serin::api::RunPhase::Aborted;
        assert_eq!(exit(following.look(&facts)), Some(1));
        // a later caller finds the primary in the wanted state
        assert_eq!(exit(Following::default().look(&facts)), Some(0));
    }

    #[test]
    fn another_revision_ends_a_wait_for_one() {
        let of = |hash: &str| Until { revision: Some(hash.into()), ..Until::default() };
        assert_eq!(exit(ended("progressing", of("3fa4c1d2"))), None);
        assert_eq!(exit(ended("progressing", of("c8082b03"))), Some(1));
        // at rest, and at the gate before a run
        assert_eq!(exit(ended("succeeded", of("c8082b03"))), Some(0));
        assert_eq!(exit(ended("succeeded", of("3fa4c1d2"))), Some(1));
        assert_eq!(exit(ended("start-gate", of("3fa4c1d2"))), None);
        assert_eq!(exit(ended("start-gate", of("c8082b03"))), Some(1));
        // the operator has not seen the revision yet
        let mut edited = fixture("succeeded");
        edited.objects[0]["metadata"]["generation"] = json!(13);
        assert_eq!(Following::until(of("3fa4c1d2")).look(&edited), None);
    }

    fn status(facts: &mut Facts) -> &mut serin::api::CanaryStatus {
        facts.canary.status.as_mut().unwrap()
    }

    fn image(facts: &mut Facts, image: &str) {
        facts.objects[0]["spec"]["template"]["spec"]["containers"][0]["image"] = image.into();
    }

    /// The next run is in progress, and the one before it has ended in this way.
    fn after_run_7(outcome: serin::api::RunPhase, target: &str) -> Facts {
        let mut facts = fixture("progressing");
        image(&mut facts, target);
        let status = status(&mut facts);
        status.run.as_mut().unwrap().number = 8;
        let last = status.last_run.as_mut().unwrap();
        (last.number, last.name, last.outcome) = (7, "app-7".into(), outcome);
        facts
    }

    #[test]
    fn exit_code_1_a_newer_revision_took_the_place_of_the_one_that_was_waited_for() {
        use serin::api::RunPhase::{Promoted, Superseded};
        let begun = || {
            let mut following = Following::default();
            let mut facts = fixture("progressing");
            image(&mut facts, "app:2");
            assert_eq!(following.look(&facts), None);
            following
        };
        let Some(Err(failure)) = begun().look(&after_run_7(Superseded, "app:3")) else { panic!("not ended") };
        assert!(failure.code == 1 && failure.message.contains("took its place"), "{}", failure.text());
        assert!(failure.text().contains("history app -n shop --run 7"), "{}", failure.text());
        // it was promoted before
        assert_eq!(exit(begun().look(&after_run_7(Promoted, "app:3"))), Some(0));
        // run 7 was of an older revision than the target had when the wait began
        let mut following = begun();
        assert_eq!(following.look(&after_run_7(Superseded, "app:2")), None);
        let mut facts = fixture("succeeded");
        image(&mut facts, "app:2");
        status(&mut facts).last_run.as_mut().unwrap().number = 8;
        assert_eq!(exit(following.look(&facts)), Some(0));
        // whose run it is cannot be told
        let mut unread = after_run_7(Superseded, "app:3");
        unread.objects.clear();
        unread.unread = vec!["list deployments.apps in namespace shop".into()];
        assert_eq!(exit(begun().look(&unread)), Some(1));
        // its run never began
        let mut following = Following::default();
        let mut facts = fixture("succeeded");
        facts.objects[0]["metadata"]["generation"] = json!(13);
        image(&mut facts, "app:2");
        assert_eq!(following.look(&facts), None);
        image(&mut facts, "app:1");
        facts.objects[0]["metadata"]["generation"] = json!(12);
        assert_eq!(exit(following.look(&facts)), Some(1));
    }

    #[test]
    fn a_target_that_cannot_be_read_counts_as_not_seen() {
        let mut facts = fixture("succeeded");
        facts.objects.clear();
        facts.failed = vec!["may not list deployments.apps: 503".into()];
        assert_eq!(Following::default().look(&facts), None);
        facts.unread = std::mem::take(&mut facts.failed);
        let Some(Err(failure)) = Following::default().look(&facts) else { panic!("not ended") };
        assert!(failure.code == 1 && failure.message.contains("missing right"), "{}", failure.text());
        // the end of a run that was seen needs no target
        let mut following = Following::default();
        assert_eq!(following.look(&fixture("progressing")), None);
        status(&mut facts).last_run.as_mut().unwrap().number = 7;
        assert_eq!(exit(following.look(&facts)), Some(0));
    }

    #[test]
    fn a_revision_that_is_to_be_analysed_again_has_not_ended() {
        for (name, generation) in [("failed", 0), ("failed", 12), ("declined", 0), ("declined", 12)] {
            let mut facts = fixture(name);
            let status = status(&mut facts);
            status.last_applied_spec.clone_from(&status.last_promoted_spec);
            status.target.as_mut().unwrap().generation = generation;
            assert_eq!(Following::default().look(&facts), None, "{name}, {generation}");
        }
    }

    #[test]
    fn a_target_that_was_set_back_before_the_wait_is_what_is_waited_for() {
        let mut facts = fixture("progressing");
        image(&mut facts, "app:1");
        let mut following = Following::default();
        assert_eq!(following.look(&facts), None);
        let mut facts = fixture("succeeded");
        image(&mut facts, "app:1");
        let last = status(&mut facts).last_run.as_mut().unwrap();
        (last.number, last.outcome) = (7, serin::api::RunPhase::Aborted);
        assert_eq!(following.look(&facts), Some(Ok("the primary has the target's revision".into())));
    }

    #[test]
    fn only_what_was_promoted_is_said_to_be() {
        let mut facts = fixture("succeeded");
        status(&mut facts).last_run.as_mut().unwrap().outcome = serin::api::RunPhase::RolledBack;
        let said = Following::default().look(&facts);
        assert_eq!(said, Some(Ok("the primary has the target's revision".into())));
    }

    #[test]
    fn a_gate_is_that_of_the_revision_that_the_target_has() {
        let mut facts = fixture("gate");
        facts.objects = fixture("progressing").objects;
        let fails = || Until { fail_on_gate: true, ..Until::default() };
        assert_eq!(Following::until(fails()).look(&facts), None);
        let hash = serin::manifest::revision::hash(&facts.objects[0]["spec"]["template"]);
        status(&mut facts).last_applied_spec = Some(hash);
        assert_eq!(exit(Following::until(fails()).look(&facts)), Some(4));
    }

    #[test]
    fn a_paused_target_is_named() {
        let mut facts = fixture("succeeded");
        facts.objects[0]["metadata"]["generation"] = json!(13);
        facts.objects[0]["spec"]["paused"] = json!(true);
        let Settled::No(why) = settled(&facts, None, None) else { panic!("ended") };
        assert!(why.contains("spec.paused"), "{why}");
    }
}
