//! Revisions of a pod template: how to distinguish them, and the immutable copies of promoted ones.
//!
//! A copy is a `ControllerRevision`. A damaged primary is restored from it, and a failed promotion is undone with it.
//! `plan` decides which copies to make or drop.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    digest, json as get,
    marks::{controller_of, ours},
    object::Manifest,
};
use crate::{
    names::{self, managers},
    snapshot::{DEPLOYMENT, KNATIVE_SERVICE, Objects, REVISION},
    spec::Validated,
    text::first_chars,
};

/// Characters of the hash in the name of a stored template.
const SHORT: usize = 10;

/// Fields of a workload's spec that follow the target, apart from its template; no kind has all of them.
pub(super) const FOLLOWED: [&str; 5] =
    ["progressDeadlineSeconds", "minReadySeconds", "revisionHistoryLimit", "strategy", "updateStrategy"];

/// The source of a primary: the target's fields, or a stored copy.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Source {
    /// Pod template as stored on the target.
    pub template: Value,
    /// The other fields of the target's spec that the primary follows.
    pub spec: Map<String, Value>,
    /// Names of the ConfigMaps and Secrets that a primary uses instead of the template's, by `config::key`.
    pub configs: BTreeMap<String, String>,
}

impl Source {
    /// The source that a workload contains.
    pub(super) fn of(workload: &Value) -> Self {
        let spec = &workload["spec"];
        let followed = FOLLOWED.iter().filter(|f| !spec[**f].is_null());
        Self {
            template: spec["template"].clone(),
            spec: followed.map(|f| ((*f).to_owned(), spec[*f].clone())).collect(),
            configs: BTreeMap::new(),
        }
    }
}

/// Lower-case hex SHA-256 of the canonical JSON of a pod template as stored: members in byte order of their keys, no
/// white space. A `null` member does not count, as for the API server (some versions write `creationTimestamp: null`).
pub fn hash(template: &Value) -> String {
    digest::of(template)
}

/// The same for a template together with the checksums of its configuration, by `config::key`. Without any it
/// is the template's own.
pub fn hash_with(template: &Value, checksums: &BTreeMap<String, String>) -> String {
    if checksums.is_empty() {
        hash(template)
    } else {
        hash(&json!({"template": template, "configs": checksums}))
    }
}

/// Whether a hash in status can be one of ours: 64 hex digits. Flagger's are 10 characters at most.
pub fn is_ours(hash: &str) -> bool {
    hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Name of the stored copy of a template: `<primary>-<first 10 of the hash>`; for kinds of targets other than a
/// Deployment with that kind in between, because two Canaries may have targets with the same name.
pub fn name(canary: &Validated, hash: &str) -> String {
    let kind = match canary.target.kind() {
        DEPLOYMENT => String::new(),
        KNATIVE_SERVICE => "-knative".to_owned(),
        other => format!("-{}", other.kind.to_ascii_lowercase()),
    };
    format!("{}{kind}-{}", canary.names.primary, first_chars(hash, SHORT))
}

/// The stored copy of the template of `template_source` (the target, or a primary of its kind): the `n`th of this
/// Canary, counted from 1. Immutable except for its number; make the Canary its owner with [`Manifest::owned_by`].
pub fn stored(canary: &Validated, n: i64, hash: &str, template_source: &Value) -> Manifest {
    let source = canary.target.source(template_source);
    let body = json!({
        "metadata": {"labels": {
            names::LABEL_CANARY: names::label_value(&canary.name),
            names::LABEL_TEMPLATE_OF: names::label_value(&canary.names.primary),
        }},
        "data": {
            "hash": hash,
            "template": source.template,
            "spec": Value::Object(source.spec),
            "replicas": get::replicas(template_source),
        },
        "revision": n,
    });
    Manifest::new(REVISION, &name(canary, hash), managers::WORKLOAD, &[], body)
}

/// The reference to one ConfigMap or Secret in a stored template.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoredConfig {
    /// Checksum of the content that was analysed.
    pub checksum: String,
    /// Name of the primary's object with this content.
    pub copy: String,
}

/// A stored copy that also names the contents of its template, by `config::key`.
#[must_use]
pub fn with_configs(mut stored: Manifest, configs: &BTreeMap<String, StoredConfig>) -> Manifest {
    if !configs.is_empty() {
        get::set(&mut stored.body, &["data", "configs"], json!(configs));
    }
    stored
}

/// A stored copy that also names what its template may use and what did not exist: for each `config::key` the name to
/// which a primary refers instead.
#[must_use]
pub fn with_absent(mut stored: Manifest, absent: &BTreeMap<String, String>) -> Manifest {
    if !absent.is_empty() {
        get::set(&mut stored.body, &["data", "absent"], json!(absent));
    }
    stored
}

/// What did not exist when a template was stored; not part of the revision. Empty for those of earlier versions.
pub fn absent_of(revision: &Value) -> BTreeMap<String, String> {
    get::strings(&revision["data"]["absent"])
}

/// The contents that belong to a stored template, by `config::key`.
pub fn configs_of(revision: &Value) -> BTreeMap<String, StoredConfig> {
    serde_json::from_value(revision["data"]["configs"].clone()).unwrap_or_default()
}

/// Their checksums.
pub fn checksums_of(revision: &Value) -> BTreeMap<String, String> {
    configs_of(revision).into_iter().map(|(key, config)| (key, config.checksum)).collect()
}

/// The pod template in a stored copy.
pub fn template_of(revision: &Value) -> Option<&Value> {
    Some(&revision["data"]["template"]).filter(|t| t.is_object())
}

/// The source of a primary, from a stored copy.
pub fn source_of(revision: &Value) -> Option<Source> {
    let template = template_of(revision)?.clone();
    let spec = revision["data"]["spec"].as_object().cloned().unwrap_or_else(Map::new);
    let copies = configs_of(revision).into_iter().map(|(key, config)| (key, config.copy));
    let configs = absent_of(revision).into_iter().chain(copies).collect();
    Some(Source { template, spec, configs })
}

/// The hash that a stored copy was filed under.
pub fn hash_of(revision: &Value) -> Option<&str> {
    revision["data"]["hash"].as_str()
}

/// Its number; 0 if it has none.
pub fn number(revision: &Value) -> i64 {
    revision["revision"].as_i64().unwrap_or(0)
}

/// It belongs to a former Canary of the same name, and garbage collection will delete it. `canary`: uid of the Canary.
pub fn is_left(revision: &Value, canary: &str) -> bool {
    controller_of(revision).is_some_and(|(_, _, uid)| uid != canary)
}

/// The stored copy with this hash whose template really has it, and that the Canary with the uid `canary` can rely on.
pub fn find<'a>(objects: &'a Objects, canary: &str, wanted: &str) -> Option<&'a Value> {
    objects.of(REVISION).find(|r| {
        hash_of(r) == Some(wanted)
            && template_of(r).is_some_and(|t| hash_with(t, &checksums_of(r)) == wanted)
            && !is_left(r, canary)
    })
}

/// All stored copies of this Canary, oldest first.
pub fn all<'a>(objects: &'a Objects, canary: &str) -> Vec<&'a Value> {
    let mut found: Vec<&Value> = objects.of(REVISION).filter(|r| ours(r, canary)).collect();
    found.sort_by_key(|r| number(r));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::fixture;

    #[test]
    fn the_hash_is_of_content_not_of_order() {
        let (a, b) = (json!({"a": {"x": 1, "y": [1, 2]}, "b": null}), json!({"a": {"y": [1, 2], "x": 1}}));
        assert_eq!(hash(&a), hash(&b));
        assert_ne!(hash(&json!([1, 2])), hash(&json!([2, 1])));
        assert_eq!(
            hash(&json!({"a": 1})),
            "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
        );
        assert!(is_ours(&hash(&a)) && !is_ours("85d557f47b") && !is_ours(&"G".repeat(64)));
    }

    #[test]
    fn a_stored_copy_gives_back_what_was_stored() {
        let (c, target) = (fixture::canary(&json!({})), fixture::target());
        let h = hash(&target["spec"]["template"]);
        let m = stored(&c, 3, &h, &target).owned_by("podinfo", "u9");
        assert_eq!(m.name, format!("podinfo-primary-{}", &h[..10]));
        let mut objects = Objects::default();
        objects.insert(REVISION, m.body.clone());
        let found = find(&objects, "u9", &h).unwrap();
        assert_eq!(template_of(found), Some(&target["spec"]["template"]));
        assert_eq!(source_of(found).unwrap(), c.target.source(&target));
        assert_eq!((number(found), found["data"]["replicas"].as_i64()), (3, Some(2)));
        assert_eq!((all(&objects, "podinfo").len(), all(&objects, "other").len()), (1, 0));
        assert_eq!(find(&objects, "u9", "x"), None);
        assert_eq!(find(&objects, "of a former one", &h), None);
    }

    #[test]
    fn contents_are_part_of_a_revision() {
        let (c, target) = (fixture::canary(&json!({})), fixture::target());
        let template = &target["spec"]["template"];
        let config =
            |checksum: &str| StoredConfig { checksum: checksum.into(), copy: "cm-env-primary-1".into() };
        let configs = BTreeMap::from([("configmap/cm-env".to_owned(), config("1"))]);
        let sums = |sum: &str| BTreeMap::from([("configmap/cm-env".to_owned(), sum.to_owned())]);
        let h = hash_with(template, &sums("1"));
        assert_eq!(hash_with(template, &BTreeMap::new()), hash(template));
        assert!(h != hash(template) && h != hash_with(template, &sums("2")) && is_ours(&h));

        let m = with_configs(stored(&c, 1, &h, &target), &configs);
        let mut objects = Objects::default();
        objects.insert(REVISION, m.body.clone());
        assert_eq!(checksums_of(find(&objects, "u9", &h).unwrap()), sums("1"));
        let source = source_of(&m.body).unwrap();
        assert_eq!(source.configs.get("configmap/cm-env").map(String::as_str), Some("cm-env-primary-1"));
        let absent = BTreeMap::from([("secret/sec".to_owned(), "sec-primary-0".to_owned())]);
        let with = with_absent(m.clone(), &absent);
        assert_eq!((with_absent(m.clone(), &BTreeMap::new()), absent_of(&with.body)), (m.clone(), absent));
        let names: Vec<String> = source_of(&with.body).unwrap().configs.into_values().collect();
        assert_eq!(names, ["cm-env-primary-1", "sec-primary-0"]);
        objects.insert(REVISION, with.body);
        assert!(find(&objects, "u9", &h).is_some(), "what did not exist is not part of the revision");
        let mut tampered = m.body;
        tampered["data"]["configs"]["configmap/cm-env"]["checksum"] = json!("2");
        objects.insert(REVISION, tampered);
        assert_eq!(find(&objects, "u9", &h), None);
    }

    #[test]
    fn a_copy_that_was_tampered_with_is_not_found() {
        let (c, target) = (fixture::canary(&json!({})), fixture::target());
        let h = hash(&target["spec"]["template"]);
        let mut body = stored(&c, 1, &h, &target).body;
        body["data"]["template"]["spec"]["containers"][0]["image"] = json!("evil");
        let mut objects = Objects::default();
        objects.insert(REVISION, body);
        assert_eq!(find(&objects, "u9", &h), None);
    }
}
