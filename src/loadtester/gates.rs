//! Gates that people open and close: kept in one ConfigMap, so that they survive a restart and all replicas agree, or
//! in memory if there is no cluster. A gate is closed until it is opened.
#![allow(clippy::disallowed_types, reason = "this module reads and writes the ConfigMap of the gates")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use serde_json::json;
use tokio::time::timeout;

/// Time limit of a call to the API server.
const DEADLINE: Duration = Duration::from_secs(5);
/// The value of an open gate; closed ones have no entry.
const OPEN: &str = "open";
/// After this many conflicting writes between read and write, it gives up.
const TRIES: usize = 3;
/// Field manager.
const MANAGER: &str = "serin-loadtester";

/// Where gates are kept.
pub(super) enum Gates {
    /// Lost at the next start.
    Memory(Mutex<BTreeSet<String>>),
    /// In a ConfigMap, created when the first gate is opened.
    Kept {
        /// In the load tester's namespace.
        api: Box<Api<ConfigMap>>,
        /// Its name.
        name: String,
    },
}

impl Gates {
    /// Whether a gate is open.
    ///
    /// # Errors
    /// It is unknown: the caller must not assume either state.
    pub(super) async fn is_open(&self, gate: &str) -> Result<bool, String> {
        match self {
            Self::Memory(open) => Ok(open.lock().unwrap_or_else(PoisonError::into_inner).contains(gate)),
            Self::Kept { api, name } => {
                let found = timeout(DEADLINE, api.get_opt(name)).await;
                let found = found.map_err(|_| self.late())?.map_err(|e| self.failed("read", &e))?;
                let value = found.and_then(|map| map.data?.remove(gate));
                Ok(value.as_deref() == Some(OPEN))
            }
        }
    }

    /// Opens or closes a gate.
    ///
    /// # Errors
    /// It could not be written: nothing changed.
    pub(super) async fn set(&self, gate: &str, open: bool) -> Result<(), String> {
        match self {
            Self::Memory(all) => {
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                if open {
                    all.insert(gate.to_owned())
                } else {
                    all.remove(gate)
                };
                Ok(())
            }
            Self::Kept { api, name } => {
                timeout(DEADLINE, self.write(api, name, gate, open)).await.map_err(|_| self.late())?
            }
        }
    }

    async fn write(&self, api: &Api<ConfigMap>, name: &str, gate: &str, open: bool) -> Result<(), String> {
        let value = open.then_some(OPEN);
        let merge = Patch::Merge(json!({"data": {gate: value}}));
        let manager = Some(MANAGER.to_owned());
        let patching = PatchParams { field_manager: manager.clone(), ..PatchParams::default() };
        let posting = PostParams { field_manager: manager, ..PostParams::default() };
        for _ in 0..TRIES {
            match api.patch(name, &patching, &merge).await {
                Ok(_) => return Ok(()),
                Err(kube::Error::Api(status)) if status.is_not_found() => {}
                Err(error) => return Err(self.failed("written", &error)),
            }
            let Some(value) = value else { return Ok(()) };
            let made = ConfigMap {
                metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
                data: Some(BTreeMap::from([(gate.to_owned(), value.to_owned())])),
                ..ConfigMap::default()
            };
            match api.create(&posting, &made).await {
                Ok(_) => return Ok(()),
                Err(kube::Error::Api(status)) if status.is_already_exists() => {}
                Err(error) => return Err(self.failed("made", &error)),
            }
        }
        Err(format!("{} comes and goes", self.shown()))
    }

    fn shown(&self) -> String {
        match self {
            Self::Memory(_) => "the memory".to_owned(),
            Self::Kept { api, name } => {
                format!("ConfigMap {name} in namespace {}", api.namespace().unwrap_or_default())
            }
        }
    }

    fn late(&self) -> String {
        format!("{}: no answer of the API server within {} s", self.shown(), DEADLINE.as_secs())
    }

    fn failed(&self, what: &str, error: &kube::Error) -> String {
        let remedy = match error {
            kube::Error::Api(status) if status.is_forbidden() => ": see the Role in deploy/loadtester",
            _ => "",
        };
        format!("{} cannot be {what}: {error}{remedy}", self.shown())
    }
}
