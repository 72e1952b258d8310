//! `status`, and the `--wait` flag of other commands: follows a release to its end.

use std::time::Duration;

use serin::api::Canary;
use tokio::time::{Instant, sleep_until};

use super::{
    args::StatusArgs,
    context::{Context, now},
    values::{For, Output},
};
use crate::{
    cluster::{Depth, Live, Seen},
    failure::{Failure, code},
    screen::{Line, pending_line, status_line},
    text,
    view::{CanaryView, End, Facts, Settled, State, WaitingKind, canary, settled},
};

/// What to wait for, and how long.
#[derive(Clone, Debug, Default)]
pub(super) struct Until {
    pub(super) gate: bool,
    pub(super) fail_on_gate: bool,
    pub(super) revision: Option<String>,
    pub(super) timeout: Option<Duration>,
}

/// What has been seen of a release so far.
#[derive(Debug, Default)]
pub(super) struct Following {
    ran: Option<i64>,
    until: Until,
}

/// The result of a wait: a text or a failure.
pub(super) type Ended = Result<String, Failure>;

impl Following {
    pub(super) fn until(until: Until) -> Self {
        Self { ran: None, until }
    }

    /// None: there is still something to wait for.
    pub(super) fn look(&mut self, facts: &Facts) -> Option<Ended> {
        let status = facts.status();
        let place = format!("canary {}/{}", facts.namespace(), facts.name());
        if let Some(run) = &status.run {
            self.ran = Some(run.number);
            let revision = status.last_applied_spec.as_deref().unwrap_or_default();
            if let Some(wanted) =
                self.until.revision.as_deref().filter(|wanted| !revision.starts_with(*wanted))
            {
                let revision: String = revision.chars().take(12).collect();
                return Some(Err(Failure::failed(format!(
                    "{place}: revision {wanted} is not the one that is analysed: {revision} is"
                ))));
            }
        }
        if let Some(ended) = self.at_gate(facts, &place) {
            return Some(ended);
        }
        match settled(facts, self.ran) {
            Settled::No(_) => None,
            Settled::Yes(End::Promoted(text)) => Some(Ok(text)),
            Settled::Yes(End::Failed(text)) => {
                let hint = status.last_run.as_ref().filter(|_| status.run.is_none()).map(|last| {
                    let (name, namespace) = (facts.name(), facts.namespace());
                    format!("see \"kubectl canary history {name} -n {namespace} --run {}\"", last.number)
                });
                let failure = Failure::failed(format!("{place}: {text}"));
                Some(Err(match hint {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }))
            }
        }
    }

    /// The release waits for a person.
    fn at_gate(&self, facts: &Facts, place: &str) -> Option<Ended> {
        if !self.until.gate && !self.until.fail_on_gate {
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
        Some(Err(Failure::new(code::GATE, format!("{place} {}", waits.text)).hint(command)))
    }
}

pub(super) async fn run(context: &Context, args: &StatusArgs) -> Result<(), Failure> {
    let found = context.canary(&args.name).await?;
    if !args.watch {
        return once(context, args, found).await;
    }
    let until = Until {
        gate: args.until == For::Gate,
        fail_on_gate: args.fail_on_gate,
        revision: args.revision.clone(),
        timeout: args.timeout.filter(|time| !time.is_zero()),
    };
    Box::pin(follow(context, found, until, args.output)).await
}

/// The current result, by the same rules.
async fn once(context: &Context, args: &StatusArgs, found: Canary) -> Result<(), Failure> {
    let facts = context.cluster.around(found, Depth::Target).await;
    let view = canary(&facts, now());
    match args.output {
        Some(form @ (Output::Json | Output::Yaml)) => context.out.data(&view, form)?,
        Some(Output::Name) => context.out.text(&format!("canary.flagger.app/{}\n", view.name))?,
        None | Some(Output::Wide) => context.out.lines(&[status_line(&view, &context.out.term)])?,
    }
    let until = Until { fail_on_gate: args.fail_on_gate, ..Until::default() };
    match Following::until(until).look(&facts) {
        Some(Err(failure)) => Err(failure),
        _ => Ok(()),
    }
}

/// Prints a line per change until the release ends.
pub(super) async fn follow(
    context: &Context,
    found: Canary,
    until: Until,
    form: Option<Output>,
) -> Result<(), Failure> {
    let (began, timeout) = (Instant::now(), until.timeout);
    let machine = matches!(form, Some(Output::Json | Output::Yaml | Output::Name));
    let (mut live, _) = Live::of(&context.cluster, found.clone(), Depth::Canary).await;
    let mut facts = context.cluster.around(found, Depth::Target).await;
    if let Some(right) = facts.unread.first() {
        context.out.say(&format!(
            "whether the operator has seen the target as it is now cannot be told: missing right: {right}"
        ));
    }
    let (mut following, mut last) = (Following::until(until), String::new());
    loop {
        let view = canary(&facts, now());
        let ended = following.look(&facts);
        let at_rest = matches!(view.state, State::Healthy | State::Failed);
        let shown = match (&ended, settled(&facts, None)) {
            (Some(Ok(text)), _) if view.state == State::Healthy => settled_line(&view, text, context),
            // the result of an earlier run is not the one to wait for
            (None, Settled::No(why)) if at_rest => {
                pending_line(&why, &context.out.term).render(&context.out.term)
            }
            _ => status_line(&view, &context.out.term).render(&context.out.term),
        };
        if shown != last && !machine {
            let time = if context.out.terminal { String::new() } else { format!("{}  ", text::time(now())) };
            context.out.text(&format!("{time}{shown}\n"))?;
            last = shown;
        }
        if let Some(ended) = ended {
            match form {
                Some(form @ (Output::Json | Output::Yaml)) => context.out.data(&view, form)?,
                Some(Output::Name) => context.out.text(&format!("canary.flagger.app/{}\n", view.name))?,
                None | Some(Output::Wide) => {}
            }
            return ended.map(drop);
        }
        let seen = match timeout {
            None => live.changed().await?,
            Some(time) => tokio::select! {
                seen = live.changed() => seen?,
                () = sleep_until(began + time) => return Err(late(&view, time)),
            },
        };
        match seen {
            // during a run the target does not affect the result
            Seen::Change if live.facts().status().run.is_some() => facts = live.facts(),
            Seen::Change => facts = context.cluster.around(live.facts().canary, Depth::Target).await,
            Seen::Gone => {
                return Err(Failure::failed(format!("canary {}/{} was deleted", view.namespace, view.name)));
            }
            Seen::Trouble(why) => context.out.say(&format!("no answer, trying again: {why}")),
        }
    }
}

fn settled_line(view: &CanaryView, text: &str, context: &Context) -> String {
    let settled = CanaryView { headline: text.to_owned(), ..view.clone() };
    let line: Line = status_line(&settled, &context.out.term);
    line.render(&context.out.term)
}

fn late(view: &CanaryView, time: Duration) -> Failure {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let word = view.state.word(&view.phase);
    let text = format!(
        "canary {}/{} is still {word} after {}: {}",
        view.namespace,
        view.name,
        text::span(seconds),
        view.headline
    );
    let command = view.waiting_for.as_ref().and_then(|w| w.commands.first()).map(|c| c.command.clone());
    let explain = format!("kubectl canary explain {} -n {}", view.name, view.namespace);
    Failure::new(code::TIMEOUT, text).hint(command.unwrap_or(explain))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::view::{FIXTURES, fixture, fixture_time};

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
                "failed" | "refused" | "deleting" => [Some(1); 3],
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
    fn exit_code_3_the_time_is_over() {
        let view = canary(&fixture("gate"), fixture_time());
        let failure = late(&view, Duration::from_secs(1800));
        assert_eq!(failure.code, 3);
        assert_eq!(
            failure.text(),
            "error: canary shop/app is still Waiting after 30m: waits at gate \"qa\" at weight 20 (step 2 of 3)\n  \
             kubectl canary approve app -n shop"
        );
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
    }
}
