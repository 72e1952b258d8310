//! Invariants for shares of pods: enough of them are ready at any time, and there are never more than allowed.

use serin::{api::Phase, manifest, snapshot::DEPLOYMENT};

use serin_invariants::view::Names;

use crate::{pods::Pods, route, world::World};

/// The Canary uses shares of pods.
pub(crate) fn asked(world: &World) -> bool {
    let spec = world.canary.as_ref().map(|c| c["spec"].clone()).unwrap_or_default();
    let some = |field: &str| spec["analysis"][field].as_array().is_some_and(|list| !list.is_empty());
    let none = |field: &str| spec["analysis"][field].as_i64().unwrap_or(0) <= 0;
    let steps =
        some("steps") && !some("stepWeights") && !some("match") && none("iterations") && none("stepWeight");
    spec["provider"] == "kubernetes" && steps
}

/// Problems with a write of ours.
pub(crate) fn wrong(before: &World, after: &World, pods: &Pods, names: &Names, what: &str) -> Option<String> {
    let status = after.status();
    let whole = i64::from(status.primary_replicas.unwrap_or(1)).max(1);
    let (surge, unavailable) = (((whole + 3) / 4).max(1), (whole / 4).min(whole - 1));
    let both = |w: &World| [&names.primary, &names.target].iter().all(|n| route::selects(w, &names.apex, n));
    let left = both(before) && !both(after) && route::selects(after, &names.apex, &names.primary);
    let have = i64::from(pods.behind(before, &names.primary_service));
    if left && status.run.is_some() && have < whole - unavailable {
        return Some(format!(
            "S2.1: users leave the target, and the primary has {have} of {whole} pods: {what}"
        ));
    }
    let ending = status.run.as_ref().is_none_or(|r| r.ending.is_some());
    let weight = status.step.as_ref().map_or(0, |s| s.weight);
    let running = matches!(status.phase, Some(Phase::Progressing | Phase::WaitingPromotion));
    // a primary that somebody deleted is created again with all its pods, and gets them back on the way back
    let scaled = what.starts_with("scale") && what != format!("scale  {} to {whole}", names.primary);
    if !asked(after) || !scaled || ending || !running || weight == 0 || weight == 100 {
        return None;
    }
    let sides = [&names.primary, &names.target];
    let asked_for = |w: &World| -> i64 {
        sides.iter().filter_map(|n| w.objects.get(DEPLOYMENT, n)).map(manifest::replicas).sum()
    };
    let ready = |w: &World| -> i64 {
        let services = [&names.primary_service, &names.canary_service];
        services.iter().map(|s| i64::from(pods.behind(w, s))).sum()
    };
    let (was, is) = (asked_for(before), asked_for(after));
    if is > was && is > whole + surge {
        return Some(format!("S2.1: {is} pods, where {whole} and {surge} more may be: {what}"));
    }
    let (was, is) = (ready(before), ready(after));
    (is < was && is < whole - unavailable)
        .then(|| format!("S2.1: {is} ready pods, where {} must be: {what}", whole - unavailable))
}
