use std::collections::BTreeSet;

use super::*;
use crate::view::{fixture, fixture_time};

/// A healthy cluster.
pub(crate) fn well() -> Seen {
    let version = Some(env!("CARGO_PKG_VERSION").to_owned());
    let definition = Definition { version, unserved: vec![] };
    let names = ["canaries.flagger.app", "canaryruns.serin.dev", "metrictemplates.flagger.app"];
    let now = fixture_time();
    Seen {
        version: Look::Read("1.36.2".into()),
        clock: Some(now),
        rights: vec![("list canaries.flagger.app".into(), true)],
        definitions: Look::Read(names.map(|name| (name.to_owned(), Some(definition.clone()))).into()),
        operators: Look::Read(vec![Operator {
            place: "serin-system/serin".into(),
            image: "registry.example.com/serin:0.1.0".into(),
            wanted: 1,
            ready: 1,
        }]),
        leases: Look::Read(vec![Lease {
            namespace: "serin-system".into(),
            holder: "serin_7d9".into(),
            renewed: Some(now),
            lasts: 15,
        }]),
        canaries: Look::Read(vec![fixture("progressing").canary]),
        routers: vec![Served {
            provider: "istio".into(),
            kinds: vec![("virtualservices.networking.istio.io".into(), true)],
        }],
        templates: Look::Read(BTreeSet::new()),
        alerts: Look::Read(BTreeSet::new()),
    }
}

/// A cluster with many problems.
pub(crate) fn ill() -> Seen {
    let mut seen = well();
    let now = fixture_time();
    seen.version = Look::Read("1.22.0".into());
    seen.clock = now.checked_sub(jiff::SignedDuration::from_secs(90)).ok();
    seen.rights.push(("patch canaries.flagger.app in namespace shop".into(), false));
    if let Look::Read(all) = &mut seen.definitions {
        all.insert("canaries.flagger.app".into(), Some(Definition::default()));
        all.insert("canaryruns.serin.dev".into(), None);
        let stored = Definition { version: Some("0.0.1".into()), unserved: vec!["v1alpha1".into()] };
        all.insert("metrictemplates.flagger.app".into(), Some(stored));
    }
    if let Look::Read(all) = &mut seen.operators {
        all[0].ready = 0;
        all.push(Operator {
            place: "flagger-system/flagger".into(),
            image: "ghcr.io/fluxcd/flagger:1.44.0".into(),
            wanted: 1,
            ready: 1,
        });
    }
    if let Look::Read(all) = &mut seen.leases {
        all[0].renewed = now.checked_sub(jiff::SignedDuration::from_secs(3600)).ok();
    }
    seen.routers[0].kinds[0].1 = false;
    let names = ["refused", "frozen", "unattended", "failed"];
    seen.canaries = Look::Read(names.map(|name| fixture(name).canary).into());
    if let Look::Read(all) = &mut seen.canaries
        && let Some(metric) = all[0].spec.analysis.as_mut().and_then(|a| a.metrics.first_mut())
    {
        metric.template_ref = Some(serin::api::CrossNamespaceRef { name: "errors".into(), namespace: None });
    }
    seen.alerts = Look::Unread("missing right: list alertproviders.flagger.app in all namespaces".into());
    seen
}

fn ids(diagnosis: &Diagnosis, outcome: Outcome) -> BTreeSet<&'static str> {
    let checks = diagnosis.groups.iter().flat_map(|group| &group.checks);
    checks.filter(|check| check.result == outcome).map(|check| check.id).collect()
}

#[test]
fn a_cluster_in_which_all_is_well_has_no_findings() {
    let diagnosis = diagnose(&well(), false, fixture_time());
    assert_eq!(
        (diagnosis.count(Outcome::Error), diagnosis.count(Outcome::Warning)),
        (0, 0),
        "{diagnosis:#?}"
    );
    assert!(diagnosis.count(Outcome::Ok) > 7, "{diagnosis:#?}");
}

#[test]
fn each_check_that_fails_says_what_to_do() {
    let diagnosis = diagnose(&ill(), false, fixture_time());
    let errors = [
        "canary-accepted",
        "canary-attended",
        "definition-own",
        "definition-there",
        "flagger-at-work",
        "operator-ready",
        "router-kinds",
        "templates-there",
    ];
    assert_eq!(ids(&diagnosis, Outcome::Error), errors.into(), "{diagnosis:#?}");
    for id in ["api-version", "clock", "own-rights", "definition-stored", "lease", "canary-measured"] {
        assert!(ids(&diagnosis, Outcome::Warning).contains(id), "{id}: {diagnosis:#?}");
    }
    assert!(ids(&diagnosis, Outcome::Skipped).contains("alerts-there"));
    let checks = diagnosis.groups.iter().flat_map(|group| &group.checks);
    for check in checks.filter(|check| matches!(check.result, Outcome::Error | Outcome::Warning)) {
        assert!(check.hint.is_some() || check.id == "definition-there", "{check:?}");
    }
}

#[test]
fn an_operator_of_another_name_is_known_by_its_lease() {
    let mut seen = well();
    seen.operators = Look::Read(vec![]);
    assert_eq!(diagnose(&seen, false, fixture_time()).count(Outcome::Error), 0);
    seen.leases = Look::Read(vec![]);
    assert!(ids(&diagnose(&seen, false, fixture_time()), Outcome::Error).contains("operator-there"));
}

#[test]
fn before_it_is_installed_nothing_is_missed() {
    let mut seen = well();
    seen.operators = Look::Read(vec![]);
    seen.leases = Look::Read(vec![]);
    if let Look::Read(all) = &mut seen.definitions {
        for definition in all.values_mut() {
            *definition = None;
        }
    }
    assert_eq!(diagnose(&seen, true, fixture_time()).count(Outcome::Error), 0);
    assert!(diagnose(&seen, false, fixture_time()).count(Outcome::Error) >= 4);
}

#[test]
fn what_may_not_be_read_is_skipped_and_no_error() {
    let seen = Seen { version: Look::Read("1.36.0".into()), ..Seen::default() };
    let diagnosis = diagnose(&seen, false, fixture_time());
    assert_eq!(diagnosis.count(Outcome::Error), 0, "{diagnosis:#?}");
    assert!(diagnosis.count(Outcome::Skipped) >= 4);
}

#[test]
fn a_declined_revision_is_named() {
    let mut seen = well();
    seen.canaries = Look::Read(vec![fixture("declined").canary]);
    let diagnosis = diagnose(&seen, false, fixture_time());
    assert_eq!(ids(&diagnosis, Outcome::Warning), ["canary-promoted"].into(), "{diagnosis:#?}");
}
