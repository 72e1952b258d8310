//! The owners of the objects under our names. An apex Service, a route with the apex's name and one that the Canary
//! refers to are taken over if they have no controller; other objects that were not made for this Canary are not
//! changed.

use serde_json::Value;

use crate::{
    manifest::{self, revision, scaler, service},
    router::Router,
    snapshot::{INGRESS, ObjectRef, Rival, SERVICE, Snapshot},
    spec::{Problem, Validated},
};

/// Only one Canary keeps an object that two claim: the message for the other one.
pub(crate) fn disputed(c: &Validated, rival: &Rival) -> Problem {
    let (at, apex) = (&rival.wants, &c.names.apex);
    let free =
        "set spec.service.name of this one to a name that is free, also with -primary and -canary behind it";
    let instead = match at.kind {
        SERVICE if c.target.is_copied() || c.target.holds_both() => "give this one another target".to_owned(),
        SERVICE if rival.derived => free.to_owned(),
        INGRESS => {
            format!("name an Ingress in spec.ingressRef that no other Canary names and that leads to {apex}")
        }
        kind if kind == c.target.kind() => "give this one another target and spec.service.name".to_owned(),
        kind if c.spec.route_ref.is_some() => format!("name another {} in spec.routeRef", kind.kind),
        _ => free.to_owned(),
    };
    let reason = if rival.derived { "ForeignObject" } else { "TargetTaken" };
    Problem::new(
        reason,
        format!("{at} belongs to the older Canary {}: delete one of the two or {instead}", rival.name),
    )
}

/// The claimed object has the mark of this Canary; for a target, its primary has it.
pub(crate) fn holds(snap: &Snapshot, at: &ObjectRef) -> bool {
    let canary = snap.canary.metadata.name.as_deref().unwrap_or_default();
    let target = &snap.canary.spec.target_ref.name;
    let primary = ObjectRef::new(at.kind, crate::names::primary(target));
    let at = if at.kind != SERVICE && at.name == *target { &primary } else { at };
    snap.objects.at(at).is_some_and(|live| manifest::holder(live) == Some(crate::names::label_value(canary)))
}

/// Objects under our names that belong to somebody else.
pub(crate) fn check(snap: &Snapshot, c: &Validated, router: &'static dyn Router) -> Result<(), Problem> {
    serving(snap, c, router)?;
    primary_scaler(snap, c, router)
}

/// The same for the objects that serve users: the primary, the Services and the route.
pub(crate) fn serving(snap: &Snapshot, c: &Validated, router: &'static dyn Router) -> Result<(), Problem> {
    let names = &c.names;
    let mut all: Vec<ObjectRef> = Vec::new();
    if !c.target.holds_both() {
        all.push(ObjectRef::new(c.target.kind(), names.primary.clone()));
        all.push(ObjectRef::new(SERVICE, names.primary_service.clone()));
        all.push(ObjectRef::new(SERVICE, names.canary_service.clone()));
    }
    // a target that users call itself is only read, or routes itself
    if !c.target.is_copied() && !c.target.holds_both() {
        all.push(ObjectRef::new(SERVICE, names.apex.clone()));
    }
    all.extend(router.claims(c, &snap.objects));
    all.into_iter().try_for_each(|at| {
        let lent = router.externally_owned_route(c).as_ref() == Some(&at);
        let elsewhere = if lent { "" } else { ", or set spec.service.name to a free name" };
        let adoptable = lent || at.name == names.apex && at.name != names.primary;
        usable(snap, c, router, &at, adoptable, elsewhere)
    })
}

/// The same for the autoscaler of the primary.
pub(crate) fn primary_scaler(
    snap: &Snapshot,
    c: &Validated,
    router: &'static dyn Router,
) -> Result<(), Problem> {
    let Some((kind, named)) = scaler::named(c) else { return Ok(()) };
    usable(snap, c, router, &ObjectRef::new(kind, crate::names::primary(&named.name)), false, "")
}

/// Whether the object is ours, or may become ours. `elsewhere` is a further remedy if it belongs to somebody else.
fn usable(
    snap: &Snapshot,
    c: &Validated,
    router: &'static dyn Router,
    at: &ObjectRef,
    adoptable: bool,
    elsewhere: &str,
) -> Result<(), Problem> {
    let Some(live) = snap.objects.at(at) else { return Ok(()) };
    let foreign = |text: String| Err(Problem::new("ForeignObject", text + elsewhere));
    match owner(snap, c, live) {
        // it may serve another application
        Owner::Left if adoptable => unforsaken_service(snap, c, at, live),
        Owner::Us | Owner::Left if !at.kind.cluster_wide() || namespace(live).is_some() => Ok(()),
        // Flagger's mark names no namespace
        Owner::Us | Owner::Left => unforsaken(c, router, at, live),
        Owner::Nobody if adoptable || orphaned(snap, c) => {
            if adoptable {
                consented(snap, c, at, live)?;
            }
            unforsaken(c, router, at, live)?;
            unforsaken_service(snap, c, at, live)
        }
        Owner::Nobody => {
            foreign(format!("{at} exists and was not made for this Canary: delete or rename it"))
        }
        Owner::Other(who) => foreign(format!("{at} is controlled by {who}: remove it there")),
    }
}

/// With the flag, only people who may write an object can allow the Canary to take it over.
fn consented(snap: &Snapshot, c: &Validated, at: &ObjectRef, live: &Value) -> Result<(), Problem> {
    let key = crate::names::ANNOTATION_ADOPT;
    if !snap.rules.adoption_needs_consent || manifest::annotation(live, key) == Some(c.name.as_str()) {
        return Ok(());
    }
    let text = format!(
        "{at} is there already, and the operator takes over what has no owner only with consent: annotate it with {key}={}, or \
         let the Canary name another",
        c.name
    );
    Err(Problem::new("AdoptionNotAllowed", text))
}

/// Taking a route over must not cut its users off.
fn unforsaken(
    c: &Validated,
    router: &'static dyn Router,
    at: &ObjectRef,
    live: &Value,
) -> Result<(), Problem> {
    if !router.reads(c).contains(at) || router.externally_owned_route(c).as_ref() == Some(at) {
        return Ok(());
    }
    router.takeover_conflict(c, live).map_or(Ok(()), |lost| Err(unsafe_to_take(at, &lost)))
}

fn unforsaken_service(snap: &Snapshot, c: &Validated, at: &ObjectRef, live: &Value) -> Result<(), Problem> {
    let apex = at.kind == SERVICE && at.name == c.names.apex;
    let target = snap.objects.get(c.target.kind(), &c.names.target).filter(|_| apex);
    let label =
        target.and_then(|target| Some((target, c.target.label(target, &snap.rules.selector_labels)?)));
    let lost = label.and_then(|(target, label)| service::takeover_conflict(c, target, &label, live));
    lost.map_or(Ok(()), |lost| Err(unsafe_to_take(at, &lost)))
}

/// What a takeover would change, with a remedy.
pub(crate) fn unsafe_to_take(at: &ObjectRef, lost: &str) -> Problem {
    let text = format!(
        "{at} is there already, and taking it over would change what users get: {lost}, or change {at} first"
    );
    Problem::new("TakeoverUnsafe", text)
}

/// Flagger removes its own mark from the copy of a Service when it promotes it.
fn orphaned(snap: &Snapshot, c: &Validated) -> bool {
    let promoted = snap.status().last_promoted_spec;
    c.target.is_copied() && promoted.is_some_and(|hash| !hash.is_empty() && !revision::is_ours(&hash))
}

/// Which objects a Helm release still applies although they are taken over, and how to remove them from the chart.
pub(crate) fn charted(snap: &Snapshot, c: &Validated, router: &'static dyn Router) -> Vec<String> {
    let made = !c.target.is_copied() && !c.target.holds_both();
    let apex = made.then(|| ObjectRef::new(SERVICE, c.names.apex.clone()));
    let lent = router.externally_owned_route(c);
    let mut all: Vec<ObjectRef> = apex.into_iter().chain(router.reads(c)).collect();
    all.retain(|at| lent.as_ref() != Some(at) && at.name == c.names.apex);
    all.dedup();
    let one = |at: ObjectRef| {
        let live = snap.objects.at(&at).filter(|live| !manifest::made_for(live, &c.name))?;
        let release = manifest::annotation(live, crate::names::HELM_RELEASE)?;
        let (key, kept) = crate::names::HELM_KEEP;
        if manifest::annotation(live, key) == Some(kept) {
            return None;
        }
        let resource = if at.kind.group.is_empty() { at.kind.plural.to_owned() } else { at.kind.crd() };
        Some(format!(
            "{at} is part of the Helm release {release}, and is taken over: each upgrade puts it back for a moment, and Helm 4 ends with UPGRADE FAILED although it applies the rest. Run kubectl -n {} annotate {resource} {} {key}={kept}, then take it out of the chart",
            c.namespace, at.name
        ))
    };
    all.into_iter().filter_map(one).collect()
}

enum Owner {
    Us,
    /// A Canary that is gone left it running.
    Left,
    Nobody,
    Other(String),
}

/// The namespace of its Canary, on a cluster-scoped object.
fn namespace(live: &Value) -> Option<&str> {
    manifest::annotation(live, crate::names::ANNOTATION_NAMESPACE)
}

fn owner(snap: &Snapshot, c: &Validated, live: &Value) -> Owner {
    if let Some(namespace) = namespace(live).filter(|namespace| *namespace != c.namespace) {
        return Owner::Other(format!("a Canary of namespace {namespace}"));
    }
    if let Some((kind, name, _)) = manifest::controller_of(live) {
        let flaggers = manifest::made_for(live, &c.name);
        return if flaggers { Owner::Us } else { Owner::Other(format!("{kind} {name}")) };
    }
    let holder = manifest::holder(live);
    if holder.as_deref() == Some(crate::names::label_value(&c.name).as_str()) {
        return Owner::Us;
    }
    match holder.and_then(|holder| snap.rivals.iter().find(|r| crate::names::label_value(&r.name) == holder))
    {
        Some(rival) => Owner::Other(format!("Canary {}", rival.name)),
        None if manifest::marked(live) => Owner::Left,
        None => Owner::Nobody,
    }
}
