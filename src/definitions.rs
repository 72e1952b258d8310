//! The operator keeps its own CustomResourceDefinitions up to date (`--manage-crds`): at startup, and whenever one
//! changes, because Helm 4 overwrites definitions with those of any chart. It writes only if something is missing,
//! never removes anything, and gives up ownership at once, so that no other manager meets a conflict.
//! See `docs/design/0014-own-definitions.md`.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this module talks to the cluster and waits"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use k8s_openapi::{
    api::core::v1::ObjectReference,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, ResourceExt,
    api::{DynamicObject, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{
        crd::all_crds,
        definitions::{Standing, standing},
    },
    events::Events,
    names::managers,
    observe::{CRDS, Seen, watch_definitions},
    plan::Note,
    retry::Backoff,
};

/// Time limit of a call.
const DEADLINE: Duration = Duration::from_secs(15);
/// The longest pause between two writes of a definition that somebody reverts, or between attempts that fail.
const PAUSE: Duration = Duration::from_secs(3600);
/// This many writes in a row are reported as a contest.
const CONTESTED: u32 = 4;

/// A definition of ours.
struct Own {
    wanted: Value,
    /// Writes and failures in a row, with less than [`PAUSE`] between them.
    attempts: u32,
    backoff: Backoff,
    /// When it is checked again.
    due: Option<Instant>,
    /// The last time something was written or failed.
    last: Option<Instant>,
    /// The last message about it, so that it is reported once.
    said: String,
}

struct Keeper {
    api: Api<DynamicObject>,
    events: Events,
    own: BTreeMap<String, Own>,
}

/// Keeps the definitions up to date until `stop`. The receiver is notified when all of them have been checked once.
pub(crate) fn keep(client: Client, events: Events, stop: CancellationToken) -> oneshot::Receiver<()> {
    let (sender, first) = oneshot::channel();
    tokio::spawn(async move {
        let own = all_crds().iter().filter_map(own).collect();
        let api = Api::all_with(client.clone(), &CRDS.resource());
        let mut keeper = Keeper { api, events, own };
        stop.run_until_cancelled(keeper.follow(client, sender)).await;
    });
    first
}

fn own(crd: &CustomResourceDefinition) -> Option<(String, Own)> {
    let mut wanted = serde_json::to_value(crd).ok()?;
    wanted["apiVersion"] = json!(CRDS.api_version());
    wanted["kind"] = json!(CRDS.kind);
    let backoff = Backoff::new(PAUSE);
    Some((crd.name_any(), Own { wanted, attempts: 0, backoff, due: None, last: None, said: String::new() }))
}

impl Keeper {
    async fn follow(&mut self, client: Client, first: oneshot::Sender<()>) {
        let mut seen = watch_definitions(&client);
        let (mut listed, mut first) = (BTreeSet::new(), Some(first));
        loop {
            let due = self.own.values().filter_map(|own| own.due).min();
            tokio::select! {
                event = seen.recv() => match event {
                    Some(Seen::Begin(_)) => listed.clear(),
                    Some(Seen::Listed(crd)) => drop(listed.insert(crd.name_any())),
                    Some(Seen::Complete) => {
                        let names: Vec<String> = self.own.keys().cloned().collect();
                        for name in names {
                            // somebody deleted one that disappears later, and it is created again only at the next
                            // start
                            if listed.contains(&name) || first.is_some() { self.look(&name).await; }
                        }
                        // the receiver may have been dropped
                        first.take().map(|first| first.send(()).ok());
                    }
                    Some(Seen::Undecodable(crd)) if crd.listed => drop(listed.insert(crd.key.1)),
                    Some(Seen::Changed(crd)) => self.look_when_due(&crd.name_any()).await,
                    Some(Seen::Undecodable(crd)) => self.look_when_due(&crd.key.1).await,
                    Some(Seen::Gone(_) | Seen::Alive | Seen::Ended | Seen::Lost(_)) => {}
                    None => return,
                },
                () = passed(due) => {
                    let now = Instant::now();
                    let due = self.own.iter().filter(|(_, own)| own.due.is_some_and(|due| due <= now));
                    let names: Vec<String> = due.map(|(name, _)| name.clone()).collect();
                    for name in names { self.look(&name).await; }
                }
            }
        }
    }

    /// A definition that was just written is left until its pause is over.
    async fn look_when_due(&mut self, name: &str) {
        if self.own.get(name).is_some_and(|own| own.due.is_none()) {
            self.look(name).await;
        }
    }

    /// Checks one definition, and updates it.
    async fn look(&mut self, name: &str) {
        let Some(own) = self.own.get_mut(name) else { return };
        if own.last.is_some_and(|last| last.elapsed() > PAUSE) {
            own.attempts = 0;
            own.backoff.reset();
        }
        own.due = None;
        let outcome = timeout(DEADLINE, bring_up(&self.api, name, &own.wanted)).await;
        let said = match outcome {
            Ok(Ok(Done::Current)) => None,
            Ok(Ok(Done::Newer(version))) => Some(Note::warning(
                "DefinitionNewer",
                format!(
                    "{name} is of Serin {version}, which is newer than this operator ({}): it is left as it is. \
                     Upgrade the operator",
                    env!("CARGO_PKG_VERSION")
                ),
            )),
            Ok(Ok(Done::Written { by })) => {
                wait_longer(own);
                (own.attempts > CONTESTED).then(|| {
                    Note::warning(
                        "DefinitionContested",
                        format!(
                            "{name} is changed back to an older definition again and again, last by {by}: it is put \
                             right more and more rarely. Upgrade what {by} applies, or start the operator with \
                             --manage-crds=false"
                        ),
                    )
                })
            }
            Ok(Err(error)) => failed(own, name, &error.to_string(), forbidden(&error)),
            Err(_) => failed(own, name, &format!("no answer within {}s", DEADLINE.as_secs()), false),
        };
        self.tell(name, said);
    }

    /// Reports something once, by Event and log, until there is something else to report.
    fn tell(&mut self, name: &str, note: Option<Note>) {
        let Some(own) = self.own.get_mut(name) else { return };
        let Some(note) = note else { return };
        if own.said == note.message {
            return;
        }
        own.said.clone_from(&note.message);
        tracing::warn!(crd = name, reason = note.reason, "{}", note.message);
        let object = ObjectReference {
            api_version: Some(CRDS.api_version()),
            kind: Some(CRDS.kind.into()),
            name: Some(name.into()),
            // Events about cluster-scoped objects are kept in this namespace
            namespace: Some("default".into()),
            ..ObjectReference::default()
        };
        self.events.publish_about(object, &note);
    }
}

fn wait_longer(own: &mut Own) {
    let now = Instant::now();
    own.attempts += 1;
    own.last = Some(now);
    own.due = Some(now + own.backoff.next_delay());
}

/// After a refusal, it is tried again only when the definition changes.
fn failed(own: &mut Own, name: &str, why: &str, forbidden: bool) -> Option<Note> {
    let remedy = if forbidden {
        own.last = Some(Instant::now());
        "Give the operator's account the rights and restart it, or apply the definitions and start it with --manage-crds=false"
    } else {
        wait_longer(own);
        if own.attempts <= CONTESTED {
            tracing::info!(crd = name, why, "definition not brought up to date, trying again");
            return None;
        }
        "It is tried again"
    };
    Some(Note::warning(
        "DefinitionNotWritten",
        format!("{name} cannot be brought up to date: {why}. {remedy}"),
    ))
}

fn forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_forbidden())
}

async fn passed(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// The result for a definition.
enum Done {
    Current,
    Newer(String),
    /// It was created or patched. `by` is the previous writer's manager.
    Written {
        by: String,
    },
}

/// Creates a definition, adds what is missing, or leaves it.
async fn bring_up(api: &Api<DynamicObject>, name: &str, wanted: &Value) -> kube::Result<Done> {
    let Some(live) = api.get_opt(name).await? else {
        let params = PostParams { field_manager: Some(managers::DEFINITION.into()), ..PostParams::default() };
        let made: DynamicObject = serde_json::from_value(wanted.clone()).map_err(kube::Error::SerdeError)?;
        let made = api.create(&params, &made).await?;
        tracing::info!(crd = name, "definition created");
        give_up(api, name, &made).await?;
        return Ok(Done::Written { by: String::new() });
    };
    let by = last_manager(&live);
    let found = serde_json::to_value(&live).map_err(kube::Error::SerdeError)?;
    match standing(wanted, &found) {
        Standing::Current => {
            // a crash after the write leaves an entry behind
            give_up(api, name, &live).await?;
            Ok(Done::Current)
        }
        Standing::Newer(version) => Ok(Done::Newer(version)),
        Standing::Behind(patch) => {
            let params =
                PatchParams { field_manager: Some(managers::DEFINITION.into()), ..PatchParams::default() };
            let patched = api.patch(name, &params, &Patch::Merge(patch)).await?;
            tracing::info!(crd = name, former = by, "definition brought up to date");
            give_up(api, name, &patched).await?;
            Ok(Done::Written { by })
        }
    }
}

/// The last writer of the definition, not counting its status.
fn last_manager(live: &DynamicObject) -> String {
    let fields = live.metadata.managed_fields.iter().flatten();
    let entries = fields.filter(|entry| entry.subresource.is_none());
    let last = entries.max_by(|a, b| a.time.as_ref().map(|t| t.0).cmp(&b.time.as_ref().map(|t| t.0)));
    last.and_then(|entry| entry.manager.clone()).unwrap_or_else(|| "an unknown manager".into())
}

/// Removes our entry from managedFields: with it, server-side apply of other content would meet a conflict.
async fn give_up(api: &Api<DynamicObject>, name: &str, object: &DynamicObject) -> kube::Result<()> {
    let fields = object.metadata.managed_fields.iter().flatten();
    let ours = fields.enumerate().find(|(_, f)| f.manager.as_deref() == Some(managers::DEFINITION));
    let Some((index, _)) = ours else { return Ok(()) };
    let at = format!("/metadata/managedFields/{index}");
    let patch = json!([
        {"op": "test", "path": format!("{at}/manager"), "value": managers::DEFINITION},
        {"op": "remove", "path": at},
    ]);
    let patch = serde_json::from_value(patch).map_err(kube::Error::SerdeError)?;
    api.patch(name, &PatchParams::default(), &Patch::<()>::Json(patch)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use axum::{
        Router,
        extract::{Request, State},
    };

    use super::*;

    /// The requests to an API server that has this definition, as `VERB body`, and the result.
    async fn look_at(live: Value) -> (Vec<String>, Done) {
        type Shared = State<Arc<(Value, Mutex<Vec<String>>)>>;
        let answer = async |State(server): Shared, request: Request| {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
            let asked = format!("{} {}", parts.method, String::from_utf8_lossy(&body));
            server.1.lock().unwrap_or_else(PoisonError::into_inner).push(asked.trim().to_owned());
            server.0.to_string()
        };
        let server = Arc::new((live, Mutex::default()));
        let service = Router::new().fallback(answer).with_state(server.clone());
        let api = Api::all_with(Client::new(service, "default"), &CRDS.resource());
        let (name, own) = all_crds().iter().find_map(own).unwrap();
        let done = bring_up(&api, &name, &own.wanted).await.unwrap();
        let asked = server.1.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (asked, done)
    }

    /// A complete definition, last written by these managers.
    fn current(managers: &[&str]) -> Value {
        let (_, own) = all_crds().iter().find_map(own).unwrap();
        let mut live = own.wanted;
        let fields: Vec<Value> = managers.iter().map(|manager| json!({"manager": manager})).collect();
        live["metadata"]["managedFields"] = json!(fields);
        live["metadata"]["resourceVersion"] = json!("7");
        live
    }

    #[tokio::test]
    async fn ch8_an_entry_that_was_left_by_a_death_between_two_writes_is_taken_out() {
        let (asked, done) = look_at(current(&["helm", managers::DEFINITION])).await;
        assert!(matches!(done, Done::Current));
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(asked[1].contains("/metadata/managedFields/1\""), "{asked:?}");
        let (asked, _) = look_at(current(&["helm"])).await;
        assert_eq!(asked, ["GET"], "nothing is written at rest");
    }
}
