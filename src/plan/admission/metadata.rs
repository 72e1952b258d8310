//! Labels and annotations that a Canary adds to generated objects, and their allowed domains: they can control
//! other controllers.

use crate::{
    outbound,
    snapshot::Snapshot,
    spec::{Problem, Validated},
};

/// With `--allowed-metadata-domains`, all of them have one of these domains or none.
pub(crate) fn allowed(snap: &Snapshot, c: &Validated) -> Result<(), Problem> {
    let domains = &snap.rules.metadata_domains;
    if domains.is_empty() {
        return Ok(());
    }
    let permitted = |key: &&String| {
        let domain = key.split_once('/').map(|(domain, _)| domain.to_ascii_lowercase());
        domain.is_none_or(|domain| domains.iter().any(|pattern| outbound::fits(pattern, &domain)))
    };
    let service = &c.service;
    for (side, given) in [("apex", &service.apex), ("primary", &service.primary), ("canary", &service.canary)]
    {
        let Some(given) = given else { continue };
        for (map, given) in [("labels", &given.labels), ("annotations", &given.annotations)] {
            if let Some(key) = given.keys().find(|key| !permitted(key)) {
                return Err(Problem::new(
                    "MetadataNotAllowed",
                    format!(
                        "spec.service.{side}.{map}: {key} is of a domain that --allowed-metadata-domains of the operator does not \
                         name: leave it out, or have the domain added there"
                    ),
                ));
            }
        }
    }
    Ok(())
}
