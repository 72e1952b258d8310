//! ConfigMaps and Secrets in a model: which ones a target uses, and which changes are allowed.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use serin::{
    manifest::{
        config::{self, key, references},
        revision,
    },
    names,
    snapshot::{CANARY, DEPLOYMENT, ObjectRef},
};

use serin_invariants::view::Names;

use crate::world::World;

/// Contents of the tracked objects, by key.
pub type Contents = BTreeMap<String, Value>;

fn content(object: &Value) -> Value {
    json!({"data": object["data"], "binaryData": object["binaryData"], "type": object["type"]})
}

/// The contents that a template uses now.
pub fn of(world: &World, template: &Value) -> Contents {
    let used = references(&template["spec"]).into_iter();
    used.filter_map(|r| {
        let object = world.objects.at(&r.at)?;
        let followed = !config::opted_out(object) && config::digest(object).checksum.is_some();
        followed.then(|| (key(&r.at), object.clone()))
    })
    .collect()
}

/// The contents that new pods of a template read.
pub fn content_of(world: &World, template: &Value) -> Value {
    of(world, template).into_iter().map(|(key, object)| (key, content(&object))).collect::<Map<_, _>>().into()
}

/// Pods of the template can start: everything that they need exists.
pub fn complete(world: &World, template: &Value) -> bool {
    references(&template["spec"]).iter().all(|r| r.optional || world.objects.at(&r.at).is_some())
}

/// Hash of a template with these contents.
pub fn hash(template: &Value, contents: &Contents) -> String {
    let sum = |(key, object): (&String, &Value)| Some((key.clone(), config::digest(object).checksum?));
    revision::hash_with(template, &contents.iter().filter_map(sum).collect())
}

/// Whether a primary's template equals the wanted one except for the used objects, and these have the wanted contents.
pub fn same(world: &World, live: &Value, mut wanted: Value, contents: &Contents, deleted: bool) -> bool {
    let (now, then) = (references(&live["spec"]), references(&wanted["spec"]));
    if now.len() != then.len() {
        return false;
    }
    let mut copies = BTreeMap::new();
    for (now, then) in now.iter().zip(&then) {
        let found = world.objects.at(&now.at);
        if let Some(content_then) = contents.get(&key(&then.at)) {
            let same = found.map_or(deleted, |o| content(o) == content(content_then));
            if now.at == then.at || !same {
                return false;
            }
        } else if now.at != then.at && !(then.optional && found.is_none()) {
            return false;
        }
        copies.insert(key(&then.at), now.at.name.clone());
    }
    if let Some(pod) = wanted.get_mut("spec") {
        config::rewrite(pod, &copies);
    }
    wanted == *live
}

/// An object that pods of this primary's template read although it did not exist when the template passed with these
/// contents.
pub fn unanalysed(world: &World, template: &Value, contents: &Contents) -> Option<String> {
    let passed = |at: &ObjectRef| contents.contains_key(&key(at));
    let copied = |object: &Value| !object["metadata"]["annotations"][names::ANNOTATION_CHECKSUM].is_null();
    let read = of(world, template).into_iter();
    let mut read = read.filter_map(|(key, object)| Some((config::by_key(&key)?, object)));
    read.find(|(at, object)| !copied(object) && !passed(at)).map(|(at, _)| at.to_string())
}

/// Flagger made it for a Canary.
fn owned(object: &Value) -> bool {
    object["metadata"]["ownerReferences"][0]["kind"] == CANARY.kind
}

/// Only the Canary that owned it was taken off.
fn disowned(was: &Value, is: &Value) -> bool {
    let plain = |object: &Value| {
        let mut plain = object.clone();
        let of_the_write = json!({"metadata": {"ownerReferences": null, "resourceVersion": null}});
        json_patch::merge(&mut plain, &of_the_write);
        plain
    };
    owned(was) && !owned(is) && plain(was) == plain(is)
}

/// A write of ours changed more of an object of another party than its owner, changed a copy, or removed a copy that the primary uses.
pub fn harmed(before: &World, after: &World, names: &Names) -> Option<String> {
    let primary = after.objects.get(DEPLOYMENT, &names.primary);
    let used = primary.map(|p| references(&p["spec"]["template"]["spec"])).unwrap_or_default();
    for kind in config::KINDS {
        for was in before.objects.of(kind) {
            let name = was["metadata"]["name"].as_str().unwrap_or_default();
            match after.objects.get(kind, name) {
                Some(is) if is == was || disowned(was, is) => {}
                Some(_) => return Some(format!("S11: {} {name} is changed", kind.kind)),
                None if used.iter().any(|r| r.at.kind == kind && r.at.name == name) => {
                    return Some(format!("S3: {} {name} is deleted, which the primary uses", kind.kind));
                }
                // with the Canary
                None if after.canary.is_none() && owned(was) => {}
                None if was["metadata"]["labels"][names::LABEL_CANARY].is_null() => {
                    return Some(format!("S11: {} {name} is deleted", kind.kind));
                }
                None => {}
            }
        }
    }
    None
}
