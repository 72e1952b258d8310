//! What people and webhooks were told of the releases: a leader that takes over may ask again as the same, and alerts come
//! once.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use serin_bed::hooks::Receiver;

/// Called once in a run: all of them say yes.
const ONCE: [&str; 3] = ["pre-rollout", "confirm-promotion", "post-rollout"];
/// Called in each window.
const ROLLOUT: &str = "rollout";
/// What came of the releases of one application.
#[derive(Default)]
pub(crate) struct Releases {
    pub(crate) requests: u64,
    pub(crate) promoted: usize,
    pub(crate) failed: usize,
    pub(crate) alerts: usize,
    pub(crate) webhooks: usize,
}

fn path(namespace: &str, kind: &str) -> String {
    format!("/{namespace}/{kind}")
}

/// For `spec.analysis.webhooks`.
pub(crate) fn webhooks(receiver: &Receiver, namespace: &str) -> Value {
    let all = ONCE.into_iter().chain([ROLLOUT]);
    all.map(|kind| json!({"name": kind, "type": kind, "url": receiver.url(&path(namespace, kind))})).collect()
}

pub(crate) fn provider(receiver: &Receiver, namespace: &str) -> Value {
    json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "AlertProvider", "metadata": {"name": "chat"},
        "spec": {"type": "slack", "address": receiver.url(&path(namespace, "chat"))},
    })
}

impl Releases {
    /// Nothing was told twice.
    pub(crate) fn heard(&mut self, receiver: &Receiver, namespace: &str) -> anyhow::Result<()> {
        let texts: Vec<String> = receiver
            .received(&path(namespace, "chat"))
            .iter()
            .map(|body| body["attachments"][0]["text"].as_str().unwrap_or_default().to_owned())
            .collect();
        self.alerts = texts.len();
        let most = [
            ("New Deployment detected, initialization completed.", 1),
            ("New revision detected, progressing canary analysis.", self.promoted + self.failed),
            ("Canary analysis completed successfully, promotion finished.", self.promoted),
            ("Failed checks threshold reached 3", self.failed),
        ];
        for (text, most) in most {
            let times = texts.iter().filter(|told| *told == text).count();
            ensure!(times <= most, "{namespace}: {text:?} was sent {times} times, for {most}");
        }
        let mut seen: BTreeMap<&str, BTreeSet<Place>> = BTreeMap::new();
        let head = format!("/{namespace}/");
        let all = receiver.all();
        for posted in &all {
            let Some(kind) = posted.path.strip_prefix(&head).filter(|kind| *kind != "chat") else { continue };
            self.webhooks += 1;
            let place = Place::of(&posted.id).with_context(|| format!("{kind}: id {}", posted.id))?;
            let known = seen.entry(kind).or_default();
            // one that was on its way when its leader was frozen may arrive late
            let late = known.last().is_some_and(|last| place < *last);
            ensure!(
                known.contains(&place) || !late,
                "{namespace}, {kind}: {place:?} after {:?}",
                known.last()
            );
            known.insert(place);
        }
        for kind in ONCE {
            let places = seen.get(kind).with_context(|| format!("{namespace}: {kind} was never called"))?;
            let runs: BTreeSet<i64> = places.iter().map(|place| place.run).collect();
            ensure!(runs.len() == places.len(), "{namespace}: {kind} was called with two ids: {places:?}");
        }
        Ok(())
    }
}

/// Run, step and attempt of a request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    run: i64,
    step: i64,
    attempt: i64,
}

impl Place {
    fn of(id: &str) -> Option<Self> {
        let mut parts = id.split('/').skip(1).map(|part| part.parse().ok());
        Some(Self { run: parts.next()??, step: parts.next()??, attempt: parts.next()?? })
    }
}
