//! Advice about targets whose pods may all be replaced at once, so that the primary has none for a while when it is
//! promoted.

use crate::spec::{Apex, Validated};

/// Of a Deployment. None: all users are moved off the primary first.
pub(super) fn of_deployment(c: &Validated) -> Option<String> {
    let why = match c.provider.as_str() {
        "kubernetes" if c.apex == Apex::Stays => {
            "provider kubernetes leaves users on the primary: they are not served while it is promoted: set type RollingUpdate, or spec.analysis.promotion.switch"
        }
        // it looks at the canary only if the Service of the user's Ingress has endpoints
        "nginx" => {
            "provider nginx serves no users while the primary has none, whatever the weight: set type RollingUpdate with a smaller maxUnavailable"
        }
        _ => return None,
    };
    let name = &c.names.target;
    Some(format!("spec.strategy of Deployment {name} lets all of its pods be replaced at once, and {why}"))
}

/// Of a DaemonSet.
pub(super) fn of_daemon_set(c: &Validated) -> String {
    let why =
        if c.provider == "nginx" { ": with provider nginx no users are served without them" } else { "" };
    format!(
        "spec.updateStrategy.rollingUpdate of DaemonSet {} lets all of its pods be replaced at once: set maxSurge, or a smaller maxUnavailable, so that the primary keeps some while it is promoted{why}",
        c.names.target
    )
}
