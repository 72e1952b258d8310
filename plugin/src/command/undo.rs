//! `undo`: restores a promoted template of the target, with the caller's rights. The operator analyses it like any
//! other revision, or skips the analysis if the spec says so (`analysis.rollbackWindow`).

use serde_json::{Value, json};
use serin::{api::CanaryStatus, manifest::revision};

use super::{asking::UndoArgs, context::Context, follow::follow, following::Until, image::agrees};
use crate::{
    cluster::{read_revisions, read_target, write_template},
    failure::{Failure, code},
    view::owner,
};

/// Number of characters of a revision that users see.
const SHORT: usize = 8;

pub(super) async fn run(context: &Context, args: &UndoArgs) -> Result<(), Failure> {
    let canary = context.canary(&args.name).await?;
    let target = read_target(&context.cluster, &canary).await?;
    let stored = read_revisions(&context.cluster, &canary).await?;
    let what = format!("{} {}", canary.spec.target_ref.kind, canary.spec.target_ref.name);
    let name = canary.metadata.name.clone().unwrap_or_default();
    let status = canary.status.clone().unwrap_or_default();
    let now = &target.data["spec"]["template"];
    let back = chosen(&status, now, &stored, args.to_revision.as_deref())?;
    let hash = crate::text::cut(revision::hash_of(back).unwrap_or_default(), SHORT, "");
    let template = revision::template_of(back).cloned().unwrap_or_default();
    if revision::hash(now) == revision::hash(&template) {
        context.out.say(&format!("canary {name:?}: {what} has the template of revision {hash} already"));
        return Ok(());
    }
    let change = format!("{} -> {}", images(now), images(&template));
    context.out.say(&format!("{what} gets revision {hash} back: {change}"));
    if !revision::configs_of(back).is_empty() {
        context.out.say(
            "what its ConfigMaps and Secrets contain is not changed: set that back as well if it has to be",
        );
    }
    let patch = patch(&target.metadata, now, &template);
    if args.dry_run {
        write_template(&context.cluster, &canary, &patch, true).await?;
        context.out.say("nothing is written; the API server would take this patch:");
        return context.out.text(&format!("{patch}\n"));
    }
    if let Some(owner) = owner(&target.metadata) {
        context.out.say(&format!(
            "{what} is applied by {} ({}), which puts it back at its next sync: undo it there to make it last",
            owner.tool, owner.name
        ));
        if !args.yes && !agrees(context)? {
            return Err(Failure::failed("nothing was changed"));
        }
    }
    write_template(&context.cluster, &canary, &patch, false).await?;
    context.out.text(&format!("canary {name:?} undo: {change} (revision {hash})\n"))?;
    if args.wait {
        let until = Until { timeout: args.timeout.filter(|time| !time.is_zero()), ..Until::default() };
        return Box::pin(follow(context, canary, until, None)).await;
    }
    Ok(())
}

/// Patches the target only if it has the template that was read. Its version is not compared: the readiness of each pod
/// changes it.
fn patch(target: &kube::api::ObjectMeta, now: &Value, template: &Value) -> Value {
    json!([
        {"op": "test", "path": "/metadata/uid", "value": target.uid},
        {"op": "test", "path": "/spec/template", "value": now},
        {"op": "replace", "path": "/spec/template", "value": template},
    ])
}

/// The stored template to restore: the named one. Without a name: the primary's if the target has another one,
/// otherwise the one promoted before. Never one that was not promoted.
fn chosen<'s>(
    status: &CanaryStatus,
    now: &Value,
    stored: &'s [Value],
    wanted: Option<&str>,
) -> Result<&'s Value, Failure> {
    let promoted: Vec<&str> =
        status.last_promoted_spec.iter().chain(&status.former_specs).map(String::as_str).collect();
    let of = |hash: &str| stored.iter().find(|revision| revision::hash_of(revision) == Some(hash));
    let kept: Vec<_> = promoted.iter().filter(|hash| of(hash).is_some()).collect();
    let known = kept.iter().map(|hash| crate::text::cut(hash, SHORT, "")).collect::<Vec<_>>().join(", ");
    if let Some(wanted) = wanted {
        let named = promoted
            .iter()
            .filter(|hash| wanted.len() >= SHORT && hash.starts_with(wanted))
            .find_map(|hash| of(hash));
        return named.ok_or_else(|| {
            Failure::new(code::NOT_FOUND, format!("no promoted revision {wanted:?} is kept"))
                .hint(format!("--to-revision takes 8 characters or more of one of these: {known}"))
        });
    }
    let same = |revision: &&'s Value| {
        revision::template_of(revision)
            .is_some_and(|template| revision::hash(template) == revision::hash(now))
    };
    let mut all = promoted.iter().filter_map(|hash| of(hash));
    all.find(|revision| !same(revision)).ok_or_else(|| {
        Failure::failed("there is no earlier promoted template to go back to")
            .hint(format!("kept are: {}", if known.is_empty() { "none" } else { known.as_str() }))
    })
}

fn images(template: &Value) -> String {
    let containers = template["spec"]["containers"].as_array().into_iter().flatten();
    containers.filter_map(|c| c["image"].as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(image: &str) -> Value {
        json!({"spec": {"containers": [{"name": "app", "image": image}]}})
    }

    fn hash(n: u8) -> String {
        format!("{n}").repeat(64)
    }

    /// Revisions 1 and 2 were promoted in this order. Revision 3 was not promoted.
    fn chosen_of(now: &str, wanted: Option<&str>) -> Result<String, Failure> {
        let stored: Vec<Value> = (1..=3)
            .map(|n| json!({"data": {"hash": hash(n), "template": template(&format!("app:{n}"))}}))
            .collect();
        let status = CanaryStatus {
            last_promoted_spec: Some(hash(2)),
            former_specs: vec![hash(1)],
            last_applied_spec: Some(hash(3)),
            ..CanaryStatus::default()
        };
        chosen(&status, &template(now), &stored, wanted).map(|back| images(&back["data"]["template"]))
    }

    #[test]
    fn it_goes_back_to_what_was_promoted_and_never_to_what_failed() {
        assert_eq!(chosen_of("app:3", None).unwrap(), "app:2", "to what the primary runs");
        assert_eq!(chosen_of("app:2", None).unwrap(), "app:1", "to the one before");
        assert_eq!(chosen_of("app:3", Some("11111111")).unwrap(), "app:1");
        for wanted in ["33333333", "1111", "44444444"] {
            let failure = chosen_of("app:2", Some(wanted)).unwrap_err();
            assert_eq!(failure.code, code::NOT_FOUND, "{wanted}");
            assert!(failure.hint.unwrap().contains("22222222, 11111111"), "{wanted}");
        }
    }

    #[test]
    fn only_another_template_keeps_it_from_writing() {
        let of = |version: &str| {
            let target = kube::api::ObjectMeta {
                uid: Some("d1".into()),
                resource_version: Some(version.into()),
                ..kube::api::ObjectMeta::default()
            };
            patch(&target, &template("app:2"), &template("app:1"))
        };
        assert_eq!(of("1"), of("2"));
        assert!(of("1").to_string().contains("app:2"));
    }

    #[test]
    fn exit_code_1_nothing_was_promoted_before() {
        let status = CanaryStatus { last_promoted_spec: Some(hash(1)), ..CanaryStatus::default() };
        let stored = [json!({"data": {"hash": hash(1), "template": template("app:1")}})];
        assert_eq!(chosen(&status, &template("app:1"), &stored, None).unwrap_err().code, 1);
    }
}
