//! Workloads of others whose pods our selectors would match: their pods would answer for the Canary's, and count as its
//! own.

use serde_json::Value;

use crate::{
    manifest::{
        selectors::{self, Selector},
        service,
    },
    snapshot::{DAEMONSET, DEPLOYMENT, Kind, ObjectRef, Snapshot},
    spec::{Problem, Validated},
};

/// A Service in front of either side would select pods of another workload.
pub(crate) fn fault(
    snap: &Snapshot,
    c: &Validated,
    target: &Value,
    label: &(String, String),
) -> Option<Problem> {
    if !c.target.rests() {
        return None;
    }
    let sides = [
        (&c.names.canary_service, selectors::of_target(target, label)),
        (&c.names.primary_service, service::of_primary(c, target, label, &snap.objects)),
    ];
    let met = |(service, selector): &(&String, Selector)| {
        let stranger = met(snap, c, selector)?;
        Some(Problem::new(
            "SelectorOverlap",
            format!(
                "Service {service} would select {} and with that the pods of {stranger}, which would answer in place of those of {}: give the selector and the pods of {} a label that those of {stranger} do not have",
                selectors::shown(selector),
                c.names.target,
                c.names.target,
            ),
        ))
    };
    sides.iter().find_map(met)
}

/// The primary itself, created with one label, selects pods of another workload; its Services do not.
pub(crate) fn advice(snap: &Snapshot, c: &Validated) -> Option<String> {
    let primary = snap.objects.get(c.target.kind(), &c.names.primary).filter(|_| c.target.rests())?;
    let selector = selectors::match_labels(primary);
    let stranger = met(snap, c, &selector)?;
    Some(format!(
        "{} {} selects {} alone, as do the pods of {stranger}: its Services tell them apart, but an autoscaler of it counts both. Its selector cannot be changed: to have it created again, delete the Canary and create it again",
        c.target.kind().kind,
        c.names.primary,
        selectors::shown(&selector)
    ))
}

/// A workload of somebody else that has pods with these labels, or will have.
fn met(snap: &Snapshot, c: &Validated, selector: &Selector) -> Option<ObjectRef> {
    let own = |kind: Kind, name: &str| {
        kind == c.target.kind() && (name == c.names.target || name == c.names.primary)
    };
    [DEPLOYMENT, DAEMONSET].into_iter().find_map(|kind| {
        let others = snap.objects.of(kind).filter_map(|o| Some((o, o["metadata"]["name"].as_str()?)));
        let mut others = others.filter(|(_, name)| !own(kind, name));
        let (_, name) = others.find(|(workload, _)| {
            let empty = kind == DEPLOYMENT && crate::manifest::replicas(workload) == 0;
            !empty && selectors::selects(selector, workload)
        })?;
        Some(ObjectRef::new(kind, name))
    })
}
