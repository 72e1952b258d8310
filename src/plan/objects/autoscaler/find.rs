//! The autoscaler that a Canary names, or its problem.

use serde_json::Value;

use crate::{
    manifest::{self, scaler, triggers},
    names,
    snapshot::{HPA, Kind, ObjectRef, SCALED_OBJECT, Snapshot},
    spec::{Apex, Findings, Problem, Validated},
};

/// The autoscaler that the Canary names, or its problem.
pub(crate) fn find<'a>(
    snap: &'a Snapshot,
    c: &Validated,
    label: &(String, String),
    findings: &mut Findings,
) -> Result<Option<&'a Value>, Problem> {
    let Some((kind, named)) = scaler::named(c) else {
        return unnamed(snap, c, findings).map(|()| None);
    };
    let at = ObjectRef::new(kind, named.name.clone());
    if snap.missing_kinds.contains(&kind.crd()) {
        return Err(Problem::new(
            "AutoscalerKindMissing",
            format!(
                "the cluster has no {} ({}): install KEDA or correct spec.autoscalerRef",
                kind.kind,
                kind.crd()
            ),
        ));
    }
    if let Some(why) = snap.unlisted_kinds.get(&kind.crd()) {
        return Err(Problem::new(
            "AutoscalerKindMissing",
            format!("the API server does not list {} ({}): {why}", kind.kind, kind.crd()),
        ));
    }
    let live = snap.objects.at(&at).ok_or_else(|| {
        Problem::new(
            "AutoscalerMissing",
            format!("{at} does not exist: create it or correct spec.autoscalerRef"),
        )
    })?;
    let target = &c.spec.target_ref;
    let (of, whom) = scaler::scales(live);
    if (of, whom) != (target.kind.as_str(), target.name.as_str()) {
        return Err(Problem::new(
            "AutoscalerElsewhere",
            format!(
                "{at} scales {of} {whom}, not {} {}: point its spec.scaleTargetRef there or correct spec.autoscalerRef",
                target.kind, target.name
            ),
        ));
    }
    let (min, max) = scaler::primary_bounds(kind, named, live);
    if min > max {
        return Err(Problem::new(
            "InvalidSpec",
            format!(
                "spec.autoscalerRef.primaryScalerReplicas: with the bounds of {at} the primary would have at least {min} and at most {max} replicas"
            ),
        ));
    }
    if let Some((other, whom)) = second(snap, c, &at) {
        return Err(Problem::new(
            "TwoAutoscalers",
            format!("{other} scales {whom} as well as {at}: delete one of the two"),
        ));
    }
    findings.advice.extend(triggers::unturned(c, kind, named, live, label));
    Ok(Some(live))
}

pub(in crate::plan::objects) fn all(snap: &Snapshot) -> impl Iterator<Item = (ObjectRef, &Value)> {
    let of = |kind: Kind| snap.objects.of(kind).map(move |live| (kind, live));
    of(HPA).chain(of(SCALED_OBJECT)).map(|(kind, live)| {
        (ObjectRef::new(kind, live["metadata"]["name"].as_str().unwrap_or_default()), live)
    })
}

/// An autoscaler of the target that the Canary does not name: it is reported, and with shares of pods it would set the
/// replicas that make the shares.
fn unnamed(snap: &Snapshot, c: &Validated, findings: &mut Findings) -> Result<(), Problem> {
    let target = c.names.target.clone();
    let aimed_at = |name: &str| -> Vec<ObjectRef> {
        let whom = (c.spec.target_ref.kind.as_str(), name);
        let aimed = all(snap).filter(|(_, live)| scaler::scales(live) == whom && !scaler::generated(live));
        aimed.filter(|(_, live)| !manifest::made_for(live, &c.name)).map(|(at, _)| at).collect()
    };
    let (aimed, of_primary) = (aimed_at(&target), aimed_at(&c.names.primary));
    let first = aimed.first().map(|at| (at, &target)).or(of_primary.first().map(|at| (at, &c.names.primary)));
    if let Some((at, whom)) = first.filter(|_| c.apex == Apex::Shares) {
        return Err(Problem::new(
            "InvalidSpec",
            format!(
                "{at} scales {whom}, whose replicas make the shares of spec.analysis.steps: delete it, or set spec.analysis.iterations instead of steps"
            ),
        ));
    }
    let primary = &c.names.primary;
    let say = |at| {
        format!("{at} scales {target}, but spec.autoscalerRef does not name it: {primary} is not scaled")
    };
    if let Some(at) = aimed.first().filter(|_| c.canary_replicas.is_some()) {
        findings.advice.push(format!(
            "spec.analysis.canaryReplicas is not followed: {at} sets the replicas of {target}: delete one of the two"
        ));
    }
    findings.advice.extend(aimed.into_iter().map(say));
    let of_primary = of_primary.into_iter().map(|at| {
        format!("{at} scales {primary}, but spec.autoscalerRef names none: it keeps the number, also where it takes pods from {primary} that a run has to fall back to: name the autoscaler of {target} instead")
    });
    findings.advice.extend(of_primary);
    Ok(())
}

/// Another autoscaler of the target, or one of the primary that is not ours.
fn second<'a>(snap: &Snapshot, c: &'a Validated, named: &ObjectRef) -> Option<(ObjectRef, &'a str)> {
    let kind = c.spec.target_ref.kind.as_str();
    let primary_scaler = names::primary(&named.name);
    let mut others = all(snap).filter(|(at, live)| {
        at != named && (at.kind, &at.name) != (named.kind, &primary_scaler) && !scaler::generated(live)
    });
    others.find_map(|(at, live)| {
        let whom =
            [&c.names.target, &c.names.primary].into_iter().find(|n| scaler::scales(live) == (kind, n))?;
        let ours = whom == &c.names.primary && manifest::made_for(live, &c.name);
        (!ours).then_some((at, whom.as_str()))
    })
}
