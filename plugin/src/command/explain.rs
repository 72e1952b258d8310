//! `explain`: sentences from the view, then the result of the operator's own planner, if this user may read the objects
//! that the planner needs.

use serin::{
    api::{Canary, CanaryStatus},
    names::conditions,
    plan::{self, Answers},
};

use super::{
    args::ExplainArgs,
    context::{Context, now},
    values::Output,
};
use crate::{
    cluster::Depth,
    failure::Failure,
    screen::{self, Line, Term, Tone},
    view::{self, rules},
};

/// Flags that the status does not show.
const ASSUMED: &str = "the planner's part is calculated with the defaults of the operator's flags, except --mesh-provider and \
                       --hold-releases, which the status shows; \"serin explain\" with the flags of the operator knows all of them";

pub(super) async fn run(context: &Context, args: &ExplainArgs) -> Result<(), Failure> {
    let found = context.canary(&args.name).await?;
    let facts = context.cluster.around(found, Depth::Told).await;
    let at = now();
    let view = view::canary(&facts, at);
    if let Some(form @ (Output::Json | Output::Yaml)) = args.output {
        return context.out.data(&view, form);
    }
    context.out.lines(&screen::explain(&view, at, &context.out.term))?;
    let rules = rules(&facts.canary);
    match serin::explain::look(&context.cluster.client, &rules, facts.namespace(), facts.name(), at).await {
        Ok(snapshot) => {
            let plan = plan::decide(&snapshot, &Answers::default(), at);
            if let Some(why) = contradicted(&snapshot.canary, plan.status.as_ref()) {
                context.out.say(&why);
                return Ok(());
            }
            context.out.say(ASSUMED);
            let told = serin::explain::told(&snapshot, at);
            let lines = told.lines().map(|line| Line::of(Tone::Plain, line));
            let whole = Term { width: Term::ENDLESS, ..context.out.term };
            context.out.text(&format!("\n{}", screen::render(&lines.collect::<Vec<_>>(), &whole)))
        }
        Err(error) => {
            // kube adds details for programmers to the API server's message
            let refused = error.chain().find_map(|cause| match cause.downcast_ref::<kube::Error>()? {
                kube::Error::Api(status) => Some(status.message.clone()),
                _ => None,
            });
            let why = refused.unwrap_or_else(|| format!("{error:#}"));
            context.out.say(&format!(
                "this is from the status alone; what the operator would do next cannot be worked out: {why}"
            ));
            Ok(())
        }
    }
}

/// The operator has decided otherwise about the spec as it is now: its flags are not the defaults.
fn contradicted(canary: &Canary, planned: Option<&CanaryStatus>) -> Option<String> {
    let status = canary.status.as_ref()?;
    let of = |status: &CanaryStatus| {
        let found = status.conditions.iter().find(|c| c.type_ == conditions::ACCEPTED)?;
        Some((found.status.clone(), found.message.clone()))
    };
    let ((is, said), (would_be, why)) = (of(status)?, of(planned?)?);
    let seen = status.observed_generation == canary.metadata.generation;
    (seen && is != would_be).then(|| {
        format!(
            "the planner's part is left out, because the operator has other flags, or has not seen the latest changes: \
             it says Accepted={is} ({said}), and with these flags it would be Accepted={would_be} ({why})"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::fixture;

    #[test]
    fn a_plan_that_the_status_contradicts_is_left_out() {
        let canary = fixture("succeeded").canary;
        let mut planned = canary.status.clone().unwrap();
        assert_eq!(contradicted(&canary, Some(&planned)), None);
        assert_eq!(contradicted(&canary, None), None);
        let accepted = planned.conditions.iter_mut().find(|c| c.type_ == "Accepted").unwrap();
        (accepted.status, accepted.message) = ("False".into(), "no label selects its pods".into());
        let why = contradicted(&canary, Some(&planned)).unwrap();
        assert!(why.contains("Accepted=True") && why.contains("Accepted=False (no label selects"), "{why}");
        // an edit that the operator has not seen
        let mut edited = canary;
        edited.metadata.generation = Some(4);
        assert_eq!(contradicted(&edited, Some(&planned)), None);
    }

    #[test]
    fn a_hold_of_the_operator_is_one_of_the_plan() {
        let mut canary = fixture("succeeded").canary;
        assert!(!rules(&canary).holds_releases("shop"));
        let status = canary.status.as_mut().unwrap();
        let mut held = status.conditions[0].clone();
        (held.type_, held.status, held.reason) = ("Held".into(), "True".into(), "ReleasesHeld".into());
        status.conditions.push(held);
        assert!(rules(&canary).holds_releases("shop"));
    }
}
