//! `set image`: edits the target with the caller's rights. The operator sees a new revision, as after any other edit.

use std::io::{self, BufRead as _, Write as _};

use serde_json::{Value, json};

use super::{args::ImageArgs, context::Context, follow::follow, following::Until};
use crate::{
    cluster::{read_target, write_images},
    failure::Failure,
    view::owner,
};

pub(super) async fn run(context: &Context, args: &ImageArgs) -> Result<(), Failure> {
    let canary = context.canary(&args.name).await?;
    let target = read_target(&context.cluster, &canary).await?;
    let kind = &canary.spec.target_ref.kind;
    let what = format!("{kind} {}", canary.spec.target_ref.name);
    let changes = changes(&target.data, &args.images, &what)?;
    let name = canary.metadata.name.clone().unwrap_or_default();
    if changes.is_empty() {
        context.out.say(&format!("canary {name:?}: {what} has these images already"));
        return Ok(());
    }
    let words: Vec<_> = changes.iter().map(Change::words).collect();
    let patch = patch(&changes);
    if args.dry_run {
        write_images(&context.cluster, &canary, &patch, true).await?;
        context.out.say("nothing is written; the API server would take this patch:");
        return context.out.text(&format!("{patch}\n"));
    }
    if let Some(owner) = owner(&target.metadata) {
        context.out.say(&format!(
            "{what} is applied by {} ({}), which puts it back at its next sync: change the image there to make it last",
            owner.tool, owner.name
        ));
        if !args.yes && !agrees(context)? {
            return Err(Failure::failed("nothing was changed"));
        }
    }
    write_images(&context.cluster, &canary, &patch, false).await?;
    context.out.text(&format!("canary {name:?} image: {} ({what})\n", words.join(", ")))?;
    if args.wait {
        let until = Until { timeout: args.timeout.filter(|time| !time.is_zero()), ..Until::default() };
        return Box::pin(follow(context, canary, until, None)).await;
    }
    Ok(())
}

/// Asks on a terminal. Elsewhere the answer must be on the command line.
pub(super) fn agrees(context: &Context) -> Result<bool, Failure> {
    if !context.out.terminal || !io::IsTerminal::is_terminal(&io::stdin()) {
        return Err(
            Failure::usage("nobody can be asked here whether that is right").hint("say so with --yes")
        );
    }
    let failed = |error: io::Error| Failure::failed(format!("cannot ask: {error}"));
    write!(io::stderr(), "change it all the same? y/N ").map_err(failed)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// A container with its old and new image.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    list: &'static str,
    container: String,
    from: String,
    to: String,
}

impl Change {
    fn words(&self) -> String {
        format!("{} {} -> {}", self.container, self.from, self.to)
    }
}

/// The changed images. Every container that the user names must exist.
fn changes(target: &Value, images: &[(String, String)], what: &str) -> Result<Vec<Change>, Failure> {
    let spec = &target["spec"]["template"]["spec"];
    let of = |list: &'static str| {
        let all = spec[list].as_array().into_iter().flatten();
        all.map(move |c| {
            (list, c["name"].as_str().unwrap_or_default(), c["image"].as_str().unwrap_or_default())
        })
    };
    let all: Vec<_> = of("containers").chain(of("initContainers")).collect();
    if all.is_empty() {
        return Err(Failure::failed(format!("{what} has no containers whose image could be set")));
    }
    let mut changes: Vec<Change> = Vec::new();
    for (container, image) in images {
        let named =
            all.iter().filter(
                |(list, name, _)| {
                    if container == "*" { *list == "containers" } else { name == container }
                },
            );
        let named: Vec<_> = named.collect();
        if named.is_empty() {
            let known: Vec<_> = all.iter().map(|(_, name, _)| *name).collect();
            return Err(Failure::failed(format!(
                "{what} has no container {container:?}: it has {}",
                known.join(", ")
            )));
        }
        for (list, name, from) in named.into_iter().filter(|(.., from)| from != image) {
            let change =
                Change { list, container: (*name).to_owned(), from: (*from).to_owned(), to: image.clone() };
            changes.retain(|other| other.container != change.container);
            changes.push(change);
        }
    }
    Ok(changes)
}

/// The patch. A strategic merge matches containers by name.
fn patch(changes: &[Change]) -> Value {
    let mut spec = json!({});
    for list in ["containers", "initContainers"] {
        let of_list = changes.iter().filter(|change| change.list == list);
        let all: Vec<_> = of_list.map(|c| json!({"name": c.container, "image": c.to})).collect();
        if !all.is_empty() {
            spec[list] = json!(all);
        }
    }
    json!({"spec": {"template": {"spec": spec}}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Value {
        let containers = json!([{"name": "app", "image": "app:1"}, {"name": "proxy", "image": "proxy:1"}]);
        let init = json!([{"name": "migrate", "image": "app:1"}]);
        json!({"spec": {"template": {"spec": {"containers": containers, "initContainers": init}}}})
    }

    fn of(images: &[(&str, &str)]) -> Result<Vec<Change>, Failure> {
        let images: Vec<_> = images.iter().map(|(c, i)| ((*c).to_owned(), (*i).to_owned())).collect();
        changes(&target(), &images, "Deployment app")
    }

    #[test]
    fn images_are_set_by_the_name_of_the_container() {
        let changes = of(&[("app", "app:2"), ("migrate", "app:2"), ("proxy", "proxy:1")]).unwrap();
        let words: Vec<_> = changes.iter().map(Change::words).collect();
        assert_eq!(words, ["app app:1 -> app:2", "migrate app:1 -> app:2"]);
        let spec = json!({
            "containers": [{"name": "app", "image": "app:2"}],
            "initContainers": [{"name": "migrate", "image": "app:2"}],
        });
        assert_eq!(patch(&changes), json!({"spec": {"template": {"spec": spec}}}));
    }

    #[test]
    fn a_star_is_every_container_and_the_last_word_counts() {
        let changes = of(&[("*", "x:1"), ("app", "x:2")]).unwrap();
        let words: Vec<_> = changes.iter().map(Change::words).collect();
        assert_eq!(words, ["proxy proxy:1 -> x:1", "app app:1 -> x:2"]);
    }

    #[test]
    fn exit_code_1_a_container_that_is_not_there() {
        let failure = of(&[("web", "web:2")]).unwrap_err();
        assert_eq!(failure.code, 1);
        assert_eq!(failure.message, "Deployment app has no container \"web\": it has app, proxy, migrate");
    }
}
