//! Checks the API server, the definitions, the operator and the routers.

use jiff::Timestamp;
use serin::names;

use super::{
    model::{Check, Outcome, check},
    seen::{Lease, Look, Operator, Seen},
};

/// The minor version of the oldest supported API server.
const OLDEST: u32 = 25;
/// Tolerated difference between clocks, in seconds.
const DRIFT: i64 = 5;
/// Definitions that Serin needs.
const CANARIES: &str = "canaries.flagger.app";
const OWN: &str = env!("CARGO_PKG_VERSION");

fn skipped(id: &'static str, what: &str, why: &str) -> Check {
    check(id, Outcome::Skipped, format!("{what}: {why}"))
}

pub(super) fn api(seen: &Seen, now: Timestamp) -> Vec<Check> {
    let mut all = vec![match &seen.version {
        Look::Unread(why) => {
            check("api-reachable", Outcome::Error, format!("the API server does not answer: {why}"))
                .hint("\"kubectl version\" asks the same one; look at --context")
        }
        Look::Read(version) => {
            let minor =
                version.split('.').nth(1).map(|text| text.trim_end_matches(|c: char| !c.is_ascii_digit()));
            match minor.and_then(|text| text.parse::<u32>().ok()) {
                Some(minor) if minor < OLDEST => {
                    check("api-version", Outcome::Warning, format!("the API server is {version}"))
                        .hint(format!("versions before 1.{OLDEST} are not supported"))
                }
                _ => check("api-version", Outcome::Ok, format!("the API server answers, version {version}")),
            }
        }
    }];
    if let Some(clock) = seen.clock {
        let off = now.duration_since(clock).as_secs().abs();
        all.push(if off > DRIFT {
            check(
                "clock",
                Outcome::Warning,
                format!("the clock of this machine differs from the API server's by {off} s"),
            )
            .hint("times that are shown are wrong by that much")
        } else {
            check("clock", Outcome::Ok, "the clock of this machine is the API server's")
        });
    }
    let lacking: Vec<&str> =
        seen.rights.iter().filter(|(_, has)| !has).map(|(right, _)| right.as_str()).collect();
    if !seen.rights.is_empty() {
        all.push(if lacking.is_empty() {
            check("own-rights", Outcome::Ok, "you may use every command here")
        } else {
            check("own-rights", Outcome::Warning, format!("you lack the rights: {}", lacking.join(", ")))
                .hint("the commands that need them are in docs/kubectl-canary.md#rights")
        });
    }
    all
}

pub(super) fn definitions(seen: &Seen, before: bool) -> Vec<Check> {
    let all = match &seen.definitions {
        Look::Unread(why) => return vec![skipped("definitions", "definitions", why)],
        Look::Read(all) => all,
    };
    let mut checks = Vec::new();
    for (name, definition) in all {
        checks.push(match definition {
            None if before => check("definition-there", Outcome::Ok, format!("{name} is not there yet")),
            None => check("definition-there", Outcome::Error, format!("{name} is missing"))
                .hint("install the definitions: kubectl apply --server-side -k crd"),
            Some(found) if found.version.is_none() => {
                let result = if before { Outcome::Warning } else { Outcome::Error };
                check("definition-own", result, format!("{name} is not Serin's: it drops the fields in which decisions are kept"))
                    .hint("take it out of what installs Flagger, and apply Serin's (docs/migrating-from-flagger.md#swapping-the-image)")
            }
            Some(found) if !found.unserved.is_empty() => {
                let versions = found.unserved.join(", ");
                check("definition-stored", Outcome::Warning, format!("{name} has objects stored as {versions}, which is not served"))
                    .hint("write each of them once, as with kubectl apply, and take the version out of status.storedVersions")
            }
            Some(found) => {
                let version = found.version.as_deref().unwrap_or_default();
                if minor(version) == minor(OWN) {
                    check("definition-own", Outcome::Ok, format!("{name} is of version {version}"))
                } else {
                    check("definition-version", Outcome::Warning, format!("{name} is of version {version}, this program of {OWN}"))
                        .hint("what one of the two lacks does not work")
                }
            }
        });
    }
    if !all.contains_key(CANARIES) && !before {
        checks.push(check("definition-there", Outcome::Error, format!("{CANARIES} was not found")));
    }
    checks
}

fn minor(version: &str) -> Vec<&str> {
    version.split('.').take(2).collect()
}

pub(super) fn operator(seen: &Seen, before: bool, now: Timestamp) -> Vec<Check> {
    let mut checks = Vec::new();
    match &seen.operators {
        Look::Unread(why) => checks.push(skipped("operator-there", "operators", why)),
        Look::Read(all) => {
            let (own, others): (Vec<&Operator>, Vec<&Operator>) = all.iter().partition(|one| one.is_serin());
            checks.extend(own_operators(&own, before, leads(seen, now)));
            for other in others.iter().filter(|other| other.wanted > 0) {
                let result = if before { Outcome::Warning } else { Outcome::Error };
                checks.push(
                    check("flagger-at-work", result, format!("Flagger is at work as well ({}, {})", other.place, other.image))
                        .hint("both write the same objects: scale it to 0, or give its Deployment Serin's image (docs/migrating-from-flagger.md#swapping-the-image)"),
                );
            }
        }
    }
    match &seen.leases {
        Look::Unread(why) => checks.push(skipped("lease", "leases", why)),
        Look::Read(all) => checks.extend(all.iter().map(|lease| held(lease, now))),
    }
    checks
}

/// A Serin operator has renewed its Lease, under any Deployment name.
fn leads(seen: &Seen, now: Timestamp) -> bool {
    let fresh =
        |lease: &Lease| lease.renewed.is_some_and(|at| now.duration_since(at).as_secs() <= lease.lasts * 2);
    seen.leases
        .read()
        .into_iter()
        .flatten()
        .any(|lease| lease.holder.starts_with(names::LEASE_HOLDER) && fresh(lease))
}

fn own_operators(own: &[&Operator], before: bool, leads: bool) -> Vec<Check> {
    match own {
        [] if before => vec![check("operator-there", Outcome::Ok, "no operator is installed yet")],
        [] if leads => vec![check(
            "operator-there",
            Outcome::Ok,
            "an operator leads; its Deployment has neither of the labels app.kubernetes.io/name and app with serin or flagger",
        )],
        [] => vec![
            check(
                "operator-there",
                Outcome::Error,
                "no Deployment of Serin was found: nothing acts on Canaries",
            )
            .hint("install it (docs/install.md)"),
        ],
        [one] if one.wanted == 0 => vec![
            check("operator-ready", Outcome::Error, format!("{} is scaled to 0", one.place))
                .hint("kubectl scale it to 1 or more"),
        ],
        [one] if one.ready == 0 => vec![
            check(
                "operator-ready",
                Outcome::Error,
                format!("{} has no ready pod ({})", one.place, one.image),
            )
            .hint("look at its pods and their logs: kubectl describe deployment"),
        ],
        [one] => vec![check(
            "operator-ready",
            Outcome::Ok,
            format!(
                "one operator is at work ({}, {}, {} of {} pods ready)",
                one.place, one.image, one.ready, one.wanted
            ),
        )],
        several => {
            let places: Vec<&str> = several.iter().map(|one| one.place.as_str()).collect();
            vec![
                check(
                    "operator-one",
                    Outcome::Warning,
                    format!("{} Deployments of Serin: {}", several.len(), places.join(", ")),
                )
                .hint(
                    "each needs namespaces of its own (--namespace, --namespace-selector), or one has to go",
                ),
            ]
        }
    }
}

fn held(lease: &Lease, now: Timestamp) -> Check {
    let age = lease.renewed.map(|at| now.duration_since(at).as_secs());
    match age {
        Some(age) if age <= lease.lasts.max(1) * 2 => check(
            "lease",
            Outcome::Ok,
            format!("{} leads in {} (renewed {age}s ago)", lease.holder, lease.namespace),
        ),
        _ => {
            let since =
                age.map_or_else(|| "never".to_owned(), |age| format!("{} ago", crate::text::span(age)));
            check(
                "lease",
                Outcome::Warning,
                format!(
                    "nobody has renewed the lease in {} since {} ({since})",
                    lease.namespace, lease.holder
                ),
            )
            .hint("without --enable-leader-election none is renewed; otherwise no operator acts")
        }
    }
}

pub(super) fn routers(seen: &Seen) -> Vec<Check> {
    let of = |served: &super::seen::Served| {
        let lacking: Vec<&str> =
            served.kinds.iter().filter(|(_, there)| !there).map(|(kind, _)| kind.as_str()).collect();
        if lacking.is_empty() {
            return check("router-kinds", Outcome::Ok, format!("{}: its kinds are served", served.provider));
        }
        check(
            "router-kinds",
            Outcome::Error,
            format!("{}: the cluster does not serve {}", served.provider, lacking.join(", ")),
        )
        .hint("install what routes the requests, or correct spec.provider")
    };
    seen.routers.iter().map(of).collect()
}
