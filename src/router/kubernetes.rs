//! Plain Services. Usually there is no route: users are always on the primary, through the apex Service, and a new
//! version is analysed behind `<apex>-canary`. A Canary may request more: then the selector of the apex is the route.
//! It selects the primary's pods, the target's, or both by their common labels, so that the replicas of the two make
//! the shares. `plan` takes care of the rest of the apex, and of the replicas.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{
    gatewayapi,
    queries::Builtin,
    route,
    split::Split,
    traits::{Cookies, Router, RouterError},
};
use crate::{
    manifest::{
        self, Manifest, Undo, json as get,
        selectors::{self, Selector},
        service,
    },
    names::managers,
    snapshot::{DEPLOYMENT, Kind, ObjectRef, Objects, SERVICE},
    spec::{Apex, Validated},
};

/// The router of plain Services.
pub(super) struct Kubernetes;

/// The pods that the apex Service selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selected {
    /// The primary's pods.
    Primary,
    /// The target's.
    Target,
    /// Both.
    Both,
}

/// The pods that the live apex selects; None: neither, or it does not exist, or is not yet ours.
pub(crate) fn selected(c: &Validated, live: &Objects) -> Option<Selected> {
    let apex = live.get(SERVICE, &c.names.apex).filter(|apex| known(c, apex))?;
    let selector = apex["spec"]["selector"].as_object().filter(|s| !s.is_empty())?;
    let label = side(c, live)?;
    let (primary, target) = pods(c, live, &label);
    // an earlier version selected by one label
    let within = |pods: &Selector| selector.iter().all(|(key, value)| pods.get(key) == Some(value));
    match selector.get(&label.0) {
        None => Some(Selected::Both),
        Some(_) if within(&primary) => Some(Selected::Primary),
        Some(_) if within(&target) => Some(Selected::Target),
        Some(_) => None,
    }
}

/// Labels of the primary's pods, and of the target's.
fn pods(c: &Validated, live: &Objects, label: &(String, String)) -> (Selector, Selector) {
    let target = live.get(c.target.kind(), &c.names.target).unwrap_or(&Value::Null);
    (service::of_primary(c, target, label, live), selectors::of_target(target, label))
}

/// Labels that the pods of both have, except the one that distinguishes their Deployments. None: nothing in
/// them identifies the workload, so other pods might be selected as well. Before there is a primary, the target's.
pub(crate) fn shared(c: &Validated, live: &Objects, key: &str, value: &str) -> Option<Map<String, Value>> {
    let labels = |name: &str| {
        let deployment = live.get(DEPLOYMENT, name)?;
        Some(deployment["spec"]["template"]["metadata"]["labels"].as_object().cloned().unwrap_or_default())
    };
    let mut common = labels(&c.names.target)?;
    common.remove(key);
    if let Some(primary) = labels(&c.names.primary) {
        common.retain(|key, value| primary.get(key) == Some(value));
    }
    common.values().any(|v| *v == value || *v == c.names.target.as_str()).then_some(common)
}

fn known(c: &Validated, apex: &Value) -> bool {
    manifest::made_for(apex, &c.name) || manifest::adopted(apex)
}

/// The label by which the target selects its pods: from the primary's selector, which cannot be changed, or from the
/// Services while there is no primary.
fn side(c: &Validated, live: &Objects) -> Option<(String, String)> {
    let primary = live.get(c.target.kind(), &c.names.primary).map(|p| &p["spec"]["selector"]["matchLabels"]);
    let service = live.get(SERVICE, &c.names.primary_service).map(|s| &s["spec"]["selector"]);
    let target =
        live.get(c.target.kind(), &c.names.target).map_or_else(Selector::new, selectors::match_labels);
    let of = |labels: &Value| -> Vec<(String, String)> {
        let all = get::strings(labels).into_iter();
        all.filter_map(|(key, value)| Some((key, value.strip_suffix("-primary")?.to_owned()))).collect()
    };
    [primary, service].into_iter().flatten().find_map(|labels| {
        let all = of(labels);
        // of several labels the one that differs from the target's
        let differs =
            all.iter().find(|(key, value)| target.get(key).is_some_and(|own| own == value.as_str()));
        differs.or(all.first()).cloned()
    })
}

impl Kubernetes {
    fn unreadable(c: &Validated, why: &str) -> RouterError {
        RouterError::Unreadable { object: ObjectRef::new(SERVICE, c.names.apex.clone()), why: why.to_owned() }
    }
}

impl Router for Kubernetes {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[]
    }

    fn settle(&self) -> Duration {
        Duration::from_secs(3)
    }

    fn shifts_traffic(&self, c: &Validated) -> bool {
        c.apex != Apex::Stays
    }

    fn apex_is_primary(&self) -> bool {
        true
    }

    fn unsupported(&self, c: &Validated) -> Vec<String> {
        let why = "plain Services cannot split requests: set spec.analysis.steps to share pods, spec.analysis.iterations instead, or spec.provider to what routes them";
        let mut refused =
            if c.skip_analysis { vec![] } else { route::cannot(c, &["stepWeight", "stepWeights"], why) };
        let why = "plain Services cannot tell requests apart or copy them: leave it out";
        refused.extend(route::cannot(c, &["match", "always", "never", "mirror", "sessionAffinity"], why));
        if self.shifts_traffic(c) {
            let why = "plain Services are switched back at once: leave it out";
            refused.extend(route::cannot(c, &["stepWeightPromotion"], why));
        }
        if c.apex == Apex::Shares && !c.target.replicated() {
            refused.push("spec.analysis.steps: shares of pods are made by replicas, which only a Deployment has: set spec.analysis.iterations instead".into());
        }
        if c.apex == Apex::Shares {
            if c.spec.autoscaler_ref.is_some() {
                refused.push("spec.autoscalerRef: shares of pods are made by the replicas, which an autoscaler would set as well: leave it out, or set spec.analysis.iterations instead of steps".into());
            }
            if c.schedule.iter().any(|step| step.weight >= 100) {
                refused.push("spec.analysis.steps: the promotion gives the new version all pods: leave the step of 100 out".into());
            }
        }
        if c.analysis.promotion.as_ref().is_some_and(|p| p.switch_users == Some(true))
            && c.apex != Apex::Switches
        {
            refused.push("spec.analysis.promotion.switch: set spec.analysis.iterations, after which users are switched".into());
        }
        refused
    }

    fn reads(&self, c: &Validated) -> Vec<ObjectRef> {
        if self.shifts_traffic(c) { vec![ObjectRef::new(SERVICE, c.names.apex.clone())] } else { vec![] }
    }

    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError> {
        if !self.shifts_traffic(c) {
            return Ok(Split::to_canary(0));
        }
        let replicas = |name: &str| live.get(DEPLOYMENT, name).map_or(0, manifest::replicas).max(0);
        match selected(c, live) {
            Some(Selected::Primary) => Ok(Split::to_canary(0)),
            Some(Selected::Target) => Ok(Split::to_canary(100)),
            Some(Selected::Both) => {
                let (target, primary) = (replicas(&c.names.target), replicas(&c.names.primary));
                Ok(Split::to_canary(percent(target, target.saturating_add(primary))))
            }
            None => Err(Self::unreadable(c, "selects neither the primary nor the target")),
        }
    }

    fn render(
        &self,
        c: &Validated,
        live: &Objects,
        want: Split,
        _cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError> {
        let apex = live.get(SERVICE, &c.names.apex).filter(|apex| known(c, apex));
        if !self.shifts_traffic(c) || apex.is_none() {
            return Ok(vec![]);
        }
        let Some(label) = side(c, live) else {
            return Err(Self::unreadable(
                c,
                "gets no selector: there is no primary whose pods it could select",
            ));
        };
        let (primary, target) = pods(c, live, &label);
        let selector = match want.canary() {
            100 => target,
            1..100 if c.apex == Apex::Shares => shared(c, live, &label.0, &label.1)
                .ok_or_else(|| Self::unreadable(c, "finds no label that the pods of both have"))?,
            _ => primary,
        };
        let body = json!({"spec": {"selector": selector}});
        Ok(vec![Manifest::new(SERVICE, &c.names.apex, managers::ROUTE, &["/spec/selector"], body)])
    }

    fn restore(&self, _c: &Validated, _live: &Objects) -> Vec<Undo> {
        vec![]
    }

    fn queries(&self) -> &'static Builtin {
        &gatewayapi::QUERIES
    }
}

/// `part` of `whole` in percent, rounded; 0 of nothing.
pub(crate) fn percent(part: i64, whole: i64) -> i32 {
    if whole <= 0 {
        return 0;
    }
    let percent = (part.saturating_mul(200).saturating_add(whole)) / whole.saturating_mul(2);
    i32::try_from(percent).unwrap_or(100)
}
