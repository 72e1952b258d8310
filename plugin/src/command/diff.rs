//! `diff`: compares the target's pod template with a promoted one.

use clap::Args;
use serde_json::{Value, json};
use serin::api::{Canary, CanaryStatus};

use super::{
    context::Context,
    values::{Output, name},
};
use crate::{
    cluster::{Cluster, read_target, stored_templates},
    difference::{Change, changes},
    failure::{Failure, code},
    screen,
    view::API_VERSION,
};

/// Number of context lines around a difference.
const AROUND: usize = 3;
/// Number of characters of a hash that identify a revision.
const SHORT: usize = 8;

#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    /// The Canary
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// A promoted revision by the beginning of its hash; the one that the primary has without it
    #[arg(long, value_name = "HASH")]
    to: Option<String>,
    /// Form of output
    #[arg(short, long, value_enum)]
    pub(super) output: Option<Output>,
}

pub(super) async fn run(context: &Context, args: &DiffArgs) -> Result<(), Failure> {
    let canary = context.canary(&args.name).await?;
    let (titles, found) = compare(&context.cluster, &canary, args.to.as_deref()).await?;
    show(context, args, &titles, &found)
}

/// The target's template against a promoted one: what each is called, and what differs.
pub(super) async fn compare(
    cluster: &Cluster,
    canary: &Canary,
    to: Option<&str>,
) -> Result<([String; 2], Vec<Change>), Failure> {
    let name = canary.metadata.name.clone().unwrap_or_default();
    let status = canary.status.clone().unwrap_or_default();
    let live = status.last_promoted_spec.clone().unwrap_or_default();
    let wanted = to.map_or_else(|| live.clone(), str::to_owned);
    if wanted.is_empty() {
        return Err(Failure::new(code::NOT_FOUND, format!("nothing of canary {name} has been promoted yet"))
            .hint(format!("\"kubectl canary get {name}\" shows how far it is")));
    }
    let stored = stored_templates(cluster, canary).await?;
    let template = choose(&stored, &wanted, &name)?;
    let target = read_target(cluster, canary).await?;
    let (from, to) = (cleaned(template), cleaned(&target.data["spec"]["template"]));
    let hash = template_hash(&stored, template);
    let titles = [
        format!("{} ({})", short(&hash), whose(&status, &hash)),
        format!("{} {} (as it is)", canary.spec.target_ref.kind, canary.spec.target_ref.name),
    ];
    Ok((titles, changes(&yaml(&from)?, &yaml(&to)?, AROUND)))
}

fn show(context: &Context, args: &DiffArgs, titles: &[String; 2], found: &[Change]) -> Result<(), Failure> {
    match args.output {
        Some(form @ (Output::Json | Output::Yaml)) => {
            context.out.data(&view(titles, found), form)?;
        }
        _ if found.is_empty() => {
            context.out.say(&format!("{} and {} have the same pod template", titles[0], titles[1]));
        }
        _ => context.out.lines(&screen::diff(&titles[0], &titles[1], found, &context.out.term))?,
    }
    verdict(found)
}

pub(super) fn view(titles: &[String; 2], found: &[Change]) -> Value {
    json!({
        "apiVersion": API_VERSION, "kind": "DiffView", "from": titles[0], "to": titles[1],
        "different": !found.is_empty(), "lines": found.iter().map(line).collect::<Vec<_>>(),
    })
}

/// Like `diff`: 1 if there is a difference, which has been printed.
fn verdict(found: &[Change]) -> Result<(), Failure> {
    if found.is_empty() { Ok(()) } else { Err(Failure::new(code::FAILED, "")) }
}

fn line(change: &Change) -> String {
    match change {
        Change::Same(text) => format!(" {text}"),
        Change::Gone(text) => format!("-{text}"),
        Change::New(text) => format!("+{text}"),
        Change::Skipped(count) => format!("@@ {count}"),
    }
}

/// The stored template whose hash starts with this text.
fn choose<'s>(stored: &'s [(String, Value)], wanted: &str, name: &str) -> Result<&'s Value, Failure> {
    let found: Vec<_> = stored.iter().filter(|(hash, _)| hash.starts_with(wanted)).collect();
    match found.as_slice() {
        [(_, template)] => Ok(template),
        [] => {
            let known: Vec<&str> = stored.iter().map(|(hash, _)| short(hash)).collect();
            let known = if known.is_empty() { "there is none".to_owned() } else { known.join(", ") };
            let hash = short(wanted);
            Err(Failure::new(code::NOT_FOUND, format!("canary {name} has no stored template {hash}"))
                .hint(format!("stored templates, newest first: {known}")))
        }
        _ => Err(Failure::usage(format!("--to {wanted}: several stored templates begin so"))),
    }
}

/// What is known of a stored template. One whose promotion was undone is stored as well.
fn whose(status: &CanaryStatus, hash: &str) -> &'static str {
    if status.last_promoted_spec.as_deref() == Some(hash) {
        "the primary"
    } else if status.former_specs.iter().any(|former| former == hash) {
        "promoted before"
    } else {
        "stored"
    }
}

fn template_hash(stored: &[(String, Value)], template: &Value) -> String {
    stored
        .iter()
        .find(|(_, other)| std::ptr::eq(other, template))
        .map(|(hash, _)| hash.clone())
        .unwrap_or_default()
}

fn short(hash: &str) -> &str {
    hash.get(..SHORT).unwrap_or(hash)
}

/// A template without the API server's defaults.
fn cleaned(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(metadata) = template["metadata"].as_object_mut() {
        metadata.remove("creationTimestamp");
    }
    if let Some(spec) = template["spec"].as_object_mut() {
        for (field, usual) in [
            ("dnsPolicy", json!("ClusterFirst")),
            ("restartPolicy", json!("Always")),
            ("schedulerName", json!("default-scheduler")),
            ("securityContext", json!({})),
            ("terminationGracePeriodSeconds", json!(30)),
        ] {
            if spec.get(field) == Some(&usual) {
                spec.remove(field);
            }
        }
    }
    template
}

fn yaml(template: &Value) -> Result<String, Failure> {
    serde_saphyr::to_string(template)
        .map_err(|error| Failure::failed(format!("cannot write the template: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> Vec<(String, Value)> {
        vec![("3fa4c1d2aa".into(), json!({"a": 1})), ("3fb0".into(), json!({"a": 2}))]
    }

    #[test]
    fn exit_code_1_what_differs() {
        let exit = |found: &[Change]| verdict(found).map_or_else(|failure| failure.code, |()| 0);
        let titles = ["a".to_owned(), "b".to_owned()];
        let all = [Change::Same("a".into()), Change::Gone("b".into()), Change::Skipped(3)];
        assert_eq!(crate::schema::violations(&view(&titles, &all)), Vec::<String>::new());
        assert_eq!((exit(&[]), exit(&[Change::New("a".into())])), (0, 1));
    }

    #[test]
    fn revisions_are_found_by_the_beginning_of_their_hash() {
        let stored = stored();
        assert_eq!(choose(&stored, "3fa", "app").unwrap()["a"], 1);
        assert_eq!(template_hash(&stored, choose(&stored, "3fb", "app").unwrap()), "3fb0");
        assert_eq!(choose(&stored, "3f", "app").unwrap_err().code, 2);
        let none = choose(&stored, "91cc02abcd", "app").unwrap_err();
        assert_eq!(none.code, 5);
        assert_eq!(
            none.text(),
            "error: canary app has no stored template 91cc02ab\n  stored templates, newest first: 3fa4c1d2, 3fb0"
        );
    }

    #[test]
    fn only_what_was_promoted_is_said_to_be() {
        let status = CanaryStatus {
            last_promoted_spec: Some("c".into()),
            former_specs: vec!["b".into()],
            ..CanaryStatus::default()
        };
        assert_eq!(
            ["c", "b", "a"].map(|hash| whose(&status, hash)),
            ["the primary", "promoted before", "stored"]
        );
    }

    #[test]
    fn what_the_api_server_fills_in_is_no_difference() {
        let written = json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": []}});
        let filled = json!({"metadata": {"creationTimestamp": null, "labels": {"app": "a"}}, "spec": {
            "containers": [], "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "securityContext": {},
            "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30}});
        assert_eq!(cleaned(&filled), written);
        assert_ne!(cleaned(&json!({"spec": {"dnsPolicy": "Default"}})), json!({"spec": {}}));
    }
}
