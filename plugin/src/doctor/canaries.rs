//! Checks the state of Canaries, and whether the objects that they refer to exist.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serin::api::Canary;

use super::{
    model::{Check, Outcome, check},
    seen::{Look, Seen},
};
use crate::view::{self, Facts, State};

/// Maximum number of Canaries that one check names.
const MOST: usize = 20;

pub(super) fn states(seen: &Seen, now: Timestamp) -> Vec<Check> {
    let all = match &seen.canaries {
        Look::Unread(why) => return vec![check("canaries", Outcome::Skipped, format!("Canaries: {why}"))],
        Look::Read(all) => all,
    };
    let views: Vec<_> = all.iter().map(|canary| view::canary(&Facts::of(canary.clone()), now)).collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for view in &views {
        *counts.entry(view.state.word(&view.phase).to_lowercase()).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let text = if counts.is_empty() { "there are none".to_owned() } else { counts.join(", ") };
    let mut checks = vec![check("canaries", Outcome::Ok, text)];
    let wrong = views.iter().filter_map(|view| {
        let result = match view.state {
            State::Refused | State::Unattended => Outcome::Error,
            State::Frozen | State::Inconclusive | State::Failed => Outcome::Warning,
            State::Healthy if view.declined() => Outcome::Warning,
            _ => return None,
        };
        let id = match view.state {
            State::Refused => "canary-accepted",
            State::Unattended => "canary-attended",
            State::Frozen => "canary-measured",
            State::Inconclusive => "canary-decided",
            _ => "canary-promoted",
        };
        let hint = format!("kubectl canary explain {} -n {}", view.name, view.namespace);
        Some(check(id, result, format!("{}/{}: {}", view.namespace, view.name, view.headline)).hint(hint))
    });
    checks.extend(wrong.take(MOST));
    checks
}

/// Checks the MetricTemplates and AlertProviders that Canaries name.
pub(super) fn references(seen: &Seen) -> Vec<Check> {
    let Some(canaries) = seen.canaries.read() else { return vec![] };
    let templates = |canary: &Canary, namespace: &str| -> Vec<String> {
        let metrics = canary.analysis().map(|a| a.metrics.as_slice()).unwrap_or_default();
        let named = metrics.iter().filter_map(|metric| metric.template_ref.as_ref());
        named
            .map(|reference| reference.in_namespace(namespace))
            .map(|(n, name)| format!("{n}/{name}"))
            .collect()
    };
    let alerts = |canary: &Canary, namespace: &str| -> Vec<String> {
        let alerts = canary.analysis().map(|a| a.alerts.as_slice()).unwrap_or_default();
        let named = alerts.iter().map(|alert| alert.provider_ref.in_namespace(namespace));
        named.map(|(n, name)| format!("{n}/{name}")).collect()
    };
    let mut checks = Vec::new();
    for (id, kind, known, named) in [
        (
            "templates-there",
            "MetricTemplate",
            &seen.templates,
            &templates as &dyn Fn(&Canary, &str) -> Vec<String>,
        ),
        ("alerts-there", "AlertProvider", &seen.alerts, &alerts),
    ] {
        let known = match known {
            Look::Unread(why) => {
                checks.push(check(id, Outcome::Skipped, format!("{kind}s: {why}")));
                continue;
            }
            Look::Read(known) => known,
        };
        let mut lacking = Vec::new();
        let mut count = 0;
        for canary in canaries {
            let namespace = canary.metadata.namespace.clone().unwrap_or_default();
            let name = canary.metadata.name.clone().unwrap_or_default();
            for wanted in named(canary, &namespace) {
                count += 1;
                if !known.contains(&wanted) {
                    let text = format!("{namespace}/{name} names the {kind} {wanted}, which does not exist");
                    lacking.push(check(id, Outcome::Error, text).hint("create it, or correct the name"));
                }
            }
        }
        if lacking.is_empty() && count > 0 {
            checks.push(check(
                id,
                Outcome::Ok,
                format!("every {kind} that Canaries name is there ({count})"),
            ));
        }
        lacking.truncate(MOST);
        checks.extend(lacking);
    }
    checks
}
