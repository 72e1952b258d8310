//! Changes to the cluster. Each action is idempotent, needs no decision, and is refused by the API server
//! if the object has changed since the snapshot it was decided on.

use serde::Serialize;
use serde_json::Value;

use crate::{
    manifest::{self, Manifest, config::CopyOf},
    names::{self, managers},
    snapshot::{CANARY, DEPLOYMENT, Kind, ObjectRef, SERVICE, Write},
    write_budget::{Desired, Part, Stake},
};

/// Replaces the field manager if only a part of an object is written, so that each part has its own attempts.
const METADATA: &str = "metadata";
const REST: &str = "rest";
/// Replaces the field manager for deletions, which have none.
pub(crate) const DELETION: &str = "deletion";

/// One write.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Action {
    /// Create by POST; an existing object of that name is read again, never overwritten.
    Create(Box<Manifest>),
    /// Create the copy of a ConfigMap or Secret, if it still has the content that was seen. Only the writer knows the
    /// content itself.
    Copy(CopyOf),
    /// JSON merge patch on exactly this version of the object.
    Patch {
        /// What to patch.
        at: ObjectRef,
        /// Field manager.
        manager: &'static str,
        /// `metadata.resourceVersion` it was decided on.
        version: String,
        /// Only what differs.
        patch: Value,
        /// The intended result.
        #[serde(skip)]
        desired: Desired,
    },
    /// Set the replicas of a Deployment through its scale subresource.
    Scale {
        /// Name of the Deployment.
        name: String,
        /// Wanted replicas.
        replicas: i64,
        /// `metadata.resourceVersion` it was decided on.
        version: String,
    },
    /// Delete exactly this object.
    Delete {
        /// What to delete.
        at: ObjectRef,
        /// Its uid: a later object with the same name is left alone.
        uid: String,
    },
    /// Replace the Canary's finalizers.
    Finalizers {
        /// All of them, including others'.
        list: Vec<String>,
    },
}

impl Action {
    /// A merge patch on the object that was seen as `live`.
    pub(crate) fn patch(at: ObjectRef, manager: &'static str, live: &Value, patch: Value) -> Self {
        let desired = Desired { part: Part::Whole, digest: digest(&patch), stake: Stake::None };
        Self::patch_towards(at, manager, live, patch, desired)
    }

    /// One of several patches that may have the same result.
    pub(crate) fn patch_towards(
        at: ObjectRef,
        manager: &'static str,
        live: &Value,
        patch: Value,
        desired: Desired,
    ) -> Self {
        Self::Patch { at, manager, version: version(live), patch, desired }
    }

    /// Replicas for the Deployment that was seen as `live`.
    pub(crate) fn scale(live: &Value, replicas: i64) -> Self {
        Self::Scale { name: name(live), replicas, version: version(live) }
    }

    /// Deletes this very object.
    pub(crate) fn delete(kind: Kind, live: &Value) -> Self {
        let uid = manifest::uid(live).unwrap_or_default().into();
        Self::Delete { at: ObjectRef::new(kind, name(live)), uid }
    }

    /// Kind of the written object, for metrics and messages.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Create(m) => m.kind,
            Self::Copy(of) => of.from.kind,
            Self::Patch { at, .. } | Self::Delete { at, .. } => at.kind,
            Self::Scale { .. } => DEPLOYMENT,
            Self::Finalizers { .. } => CANARY,
        }
    }

    /// The write and its intended result: attempts are counted by these. `canary` is the name of the Canary.
    pub fn attempt(&self, canary: &str) -> (Write, Desired) {
        let still = |digest| Desired { part: Part::Whole, digest, stake: Stake::None };
        match self {
            Self::Create(made) => {
                // without a Service that users or the route name, requests fail
                let stake = if made.kind == SERVICE { Stake::Outage } else { Stake::Traffic };
                ((made.at(), made.manager), desired(made, stake))
            }
            Self::Copy(of) => {
                let at = ObjectRef::new(of.from.kind, of.name.clone());
                ((at, managers::WORKLOAD), still(names::checksum(&format!("{of:?}"))))
            }
            Self::Patch { at, manager, desired, .. } => {
                let how = match desired.part {
                    Part::Whole => manager,
                    Part::Metadata => METADATA,
                    Part::Rest => REST,
                };
                ((at.clone(), how), *desired)
            }
            Self::Scale { name, replicas, .. } => {
                let digest = names::checksum(&replicas.to_string());
                ((ObjectRef::new(DEPLOYMENT, name.clone()), managers::SCALE), still(digest))
            }
            Self::Delete { at, .. } => ((at.clone(), DELETION), still(0)),
            Self::Finalizers { list } => {
                let at = ObjectRef::new(CANARY, canary);
                ((at, managers::STATUS), still(names::checksum(&list.join(","))))
            }
        }
    }
}

/// The intended state of a manifest's object, independent of writer and time.
pub(crate) fn desired(want: &Manifest, stake: Stake) -> Desired {
    Desired { part: Part::Whole, digest: digest(&want.body), stake }
}

/// Digest of an object or patch without the parts about the write itself.
fn digest(body: &Value) -> u64 {
    let mut body = body.clone();
    if let Some(annotations) = body.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        for stamp in [names::ANNOTATION_EPOCH, names::ANNOTATION_WRITTEN, names::ANNOTATION_RESTORED] {
            annotations.remove(stamp);
        }
        if annotations.is_empty() {
            body["metadata"].as_object_mut().map(|meta| meta.remove("annotations"));
        }
    }
    names::checksum(&body.to_string())
}

/// The version a decision was made on.
fn version(live: &Value) -> String {
    manifest::resource_version(live).unwrap_or_default().to_owned()
}

fn name(live: &Value) -> String {
    live["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}
