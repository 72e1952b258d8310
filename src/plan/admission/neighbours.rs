//! Canaries that serve the same host.

use crate::{api::CanaryService, router::Router, snapshot::Snapshot, spec::Validated};

/// Requests that one of them takes from another.
pub(crate) fn advice(snap: &Snapshot, c: &Validated, router: &'static dyn Router) -> Vec<String> {
    let one = |neighbour: &crate::snapshot::Neighbour| {
        let service: CanaryService = serde_json::from_value(neighbour.service.clone()).ok()?;
        let shadowed = router.shadows(c, &service)?;
        let (namespace, name) = &neighbour.at;
        Some(format!(
            "{shadowed} of Canary {name} in {namespace}: which of the two gets them depends on their age, so give both one VirtualService of your own and name its routes in spec.routeRef"
        ))
    };
    snap.neighbours.iter().filter_map(one).collect()
}
