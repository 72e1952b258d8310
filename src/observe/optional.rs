//! Kinds that a cluster may lack: watched while they exist and some Canary needs them.

use std::collections::BTreeSet;

use super::cache::ObjectCache;
use crate::{
    manifest::pod_policies,
    router,
    snapshot::{CANARY_RUN, DAEMONSET, JOB, Kind, POD, SCALED_OBJECT},
    spec::Target,
};

/// All optional kinds, each once: those of the routers, KEDA's, rare kinds of targets, Jobs with their pods, and
/// policies that select pods by their labels.
pub fn optional() -> BTreeSet<Kind> {
    let routes = router::all().iter().flat_map(|router| router.all_kinds());
    routes.chain([SCALED_OBJECT, DAEMONSET, JOB, POD]).chain(pod_policies::KINDS).collect()
}

/// The optional kinds that exist and that some Canary needs; others are not watched. Records of runs
/// are ours, and always watched.
pub(super) fn needed(cache: &ObjectCache, default: &str, defined: &BTreeSet<String>) -> Vec<Kind> {
    let providers = cache.providers();
    let named = providers.iter().map(|name| if name.is_empty() { default } else { name });
    let kinds: BTreeSet<Kind> =
        named.filter_map(router::by_name).flat_map(router::Router::all_kinds).collect();
    let daemons = cache.targets(Target::DaemonSet).then_some(DAEMONSET);
    let jobs = if cache.has_jobs() { &[JOB, POD][..] } else { &[] };
    let kinds = kinds.into_iter().chain([SCALED_OBJECT, CANARY_RUN]).chain(pod_policies::KINDS);
    let kinds = kinds.chain(daemons).chain(jobs.iter().copied());
    kinds.filter(|kind| kind.built_in() || defined.contains(&kind.crd())).collect()
}
