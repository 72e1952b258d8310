//! Canaries that serve the same host.

use crate::{api::CanaryService, router::Router, snapshot::Snapshot, spec::Validated};

/// Requests that one of them takes from another, and hosts that Canaries of two namespaces claim.
pub(crate) fn advice(snap: &Snapshot, c: &Validated, router: &'static dyn Router) -> Vec<String> {
    let one = |neighbour: &crate::snapshot::Neighbour| {
        let service: CanaryService = serde_json::from_value(neighbour.service.clone()).ok()?;
        let (namespace, name) = &neighbour.at;
        if let Some(shadowed) = router.shadows(c, &service) {
            return Some(format!(
                "{shadowed} of Canary {name} in {namespace}: which of the two gets them depends on their age, so give both one VirtualService of your own and name its routes in spec.routeRef"
            ));
        }
        let honoured = router.supported_fields().contains(&"hosts") && *namespace != c.namespace;
        let host = claimed(c, &service).filter(|_| honoured)?;
        Some(format!(
            "spec.service.hosts: {host} is also of Canary {name} in namespace {namespace}, and one of the two does not say in spec.service.match which requests are its own: the other's may go to it. Have both say so, or leave the host to one"
        ))
    };
    snap.neighbours.iter().filter_map(one).collect()
}

/// A host that both serve, if one of them serves all of its requests.
fn claimed<'a>(c: &'a Validated, other: &CanaryService) -> Option<&'a String> {
    let parted = !c.service.match_.is_empty() && !other.match_.is_empty();
    c.service.hosts.iter().find(|host| !parted && other.hosts.contains(host))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::manifest::fixture;

    #[test]
    fn f7_a_host_of_two_canaries_is_one_that_not_both_part_by_conditions() {
        let ways = json!([{"uri": {"prefix": "/a"}}]);
        let claimed = |ours: &Value, theirs: Value| {
            let theirs: CanaryService = serde_json::from_value(theirs).unwrap();
            super::claimed(&fixture::canary(ours), &theirs).cloned()
        };
        let all = || json!({"port": 80, "hosts": ["a.test", "b.test"]});
        let some = || json!({"port": 80, "hosts": ["b.test"], "match": ways});
        assert_eq!(claimed(&all(), some()).as_deref(), Some("b.test"));
        assert_eq!(claimed(&some(), all()).as_deref(), Some("b.test"));
        assert_eq!(claimed(&some(), some()), None);
        assert_eq!(claimed(&all(), json!({"port": 80, "hosts": ["c.test"]})), None);
    }
}
