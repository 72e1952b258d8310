//! Other objects about the pods of target and primary: workloads, policies and Services of others, found by the labels of
//! these pods.

use std::collections::BTreeSet;

use crate::{
    manifest::{json, marked, pod_policies, selectors},
    names,
    observe::{availability::Availability, cache::ObjectCache},
    snapshot::{DAEMONSET, DEPLOYMENT, Objects, SERVICE},
    spec::Target,
};

/// Other workloads whose pods may be selected as well: by the labels in the selectors of target or primary, one of
/// which has another value on a new primary.
pub(super) fn strangers(
    cache: &ObjectCache,
    namespace: &str,
    target_kind: Target,
    target: &str,
    objects: &mut Objects,
) {
    if !target_kind.rests() {
        return;
    }
    let of = |name: &str| objects.get(target_kind.kind(), name).map(selectors::match_labels);
    let own = of(target).unwrap_or_default();
    let made = |key: &String| {
        let mut new = own.clone();
        let value = own[key].as_str().unwrap_or_default();
        new.insert(key.clone(), names::primary(value).into());
        new
    };
    let primary = of(&names::primary(target));
    let all: Vec<_> = own.keys().map(made).chain(primary).chain([own.clone()]).collect();
    for (selector, kind) in
        all.iter().flat_map(|selector| [DEPLOYMENT, DAEMONSET].map(|kind| (selector, kind)))
    {
        let labels = selector.iter().filter_map(|(key, value)| Some((key, value.as_str()?)));
        for other in cache.labelled(kind, namespace, labels) {
            objects.share(kind, other);
        }
    }
}

/// Policies and Services that select pods of the target or the primary by their labels, and those to compare with. They are only
/// used for advice: a kind that is not listed yet is not awaited, and nothing is known about a kind that may not be
/// listed.
pub(super) fn policies(
    cache: &ObjectCache,
    namespace: &str,
    (kind, target): (Target, &str),
    objects: &mut Objects,
    available: &mut Availability,
) {
    let labels = if kind.rests() { pod_labels(kind, target, objects) } else { BTreeSet::new() };
    for service in cache.bearing_on(SERVICE, namespace, &labels) {
        if !marked(&service) {
            objects.share(SERVICE, service);
        }
    }
    for kind in pod_policies::KINDS {
        if cache.listed_in(kind, namespace) {
            for object in cache.bearing_on(kind, namespace, &labels) {
                objects.share(kind, object);
            }
        } else if !available.may_not_list(cache, kind) {
            available.unlisted.insert(kind.crd(), "it has not been listed yet".into());
        }
    }
}

/// Labels of the pods of the target and of its primary, including those of a new primary.
fn pod_labels(kind: Target, target: &str, objects: &Objects) -> BTreeSet<(String, String)> {
    let of = |name: &str| {
        let workload = objects.get(kind.kind(), name);
        let labels = workload.map(|live| json::strings(&live["spec"]["template"]["metadata"]["labels"]));
        labels.unwrap_or_default()
    };
    let own = of(target);
    let made = own.iter().map(|(key, value)| (key.clone(), names::primary(value))).collect::<Vec<_>>();
    own.into_iter().chain(made).chain(of(&names::primary(target))).collect()
}
