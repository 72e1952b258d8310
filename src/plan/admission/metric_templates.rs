//! The MetricTemplates that checks refer to, and the Secrets they name. No run is analysed while one is missing or cannot
//! be asked; a kind of server that is not served holds runs at weight 0.

use serde_json::{Value, json};

use crate::{
    analysis::{
        self, Access, args,
        provider_kinds::{self, KINDS},
    },
    api::{
        outbound_hosts,
        validated::{Problem, Validated},
    },
    plan::{context::Context, model::Question},
    snapshot::Snapshot,
};

pub(crate) fn look(snap: &Snapshot, c: &mut Validated, target: &Value) {
    c.secrets = snap.secrets.clone().unwrap_or_default();
    arguments(snap, c, target);
    for metric in c.analysis.metrics.clone() {
        let Some(name) = analysis::template_of(c, &metric) else { continue };
        let field = format!("spec.analysis.metrics[{}].templateRef", metric.name);
        let Some(template) = snap.templates.get(&name) else {
            c.faults.push(Problem::new(
                "TemplateMissing",
                format!("{field}: there is no MetricTemplate {name}: create it or correct the reference"),
            ));
            continue;
        };
        if template.provider.type_ == analysis::job::KIND {
            // made, not asked: see `jobs`
            continue;
        }
        if let Some(kind) = provider_kinds::kind(&template.provider.type_) {
            if let Some(why) = provider_kinds::mistakes(template, kind) {
                let message = format!("{field}: MetricTemplate {name} has {why}");
                c.faults.push(Problem::new("TemplateInvalid", message));
            }
        } else {
            let served = KINDS.iter().map(|kind| kind.name).chain([analysis::job::KIND]);
            let served = served.collect::<Vec<_>>().join(", ");
            c.held = true;
            c.unserved.push(format!(
                "{field}: MetricTemplate {name}, spec.provider.type {} (served are {served})",
                template.provider.type_
            ));
        }
        let address = template.provider.address.as_deref().unwrap_or_default();
        let whose = format!("{field}: MetricTemplate {name}, spec.provider.address");
        c.faults.extend(outbound_hosts::refused(&whose, address, &snap.rules.outbound));
        c.templates.insert(name.clone(), template.clone());
        c.faults.extend(secret_missing(snap, &Access::of(&name, template, &c.secrets)));
    }
}

/// What stands in fields takes the place of the arguments that point there.
fn arguments(snap: &Snapshot, c: &mut Validated, target: &Value) {
    let fields = c.metrics.iter().any(|m| !m.args.is_empty());
    let canary = if fields { json!(snap.canary) } else { Value::Null };
    let namespace = c.namespace.clone();
    for metric in &mut c.metrics {
        if let Err(why) = args::resolve(metric, &canary, target) {
            c.faults.push(Problem::new("ArgInvalid", why));
            continue;
        }
        for at in metric.args.iter().filter_map(|a| a.value_from.as_ref()?.secret_key_ref.as_ref()) {
            let name = format!("{namespace}/{}", at.name);
            if snap.secrets.as_ref().is_some_and(|known| !known.contains_key(&name)) {
                c.faults.push(Problem::new("SecretMissing", format!(
                    "Secret {name} does not exist, which spec.analysis.metrics[{}].args names: create it or correct the name",
                    metric.name
                )));
            }
        }
    }
}

/// A Secret that is named and not there. Where Secrets are not watched, only asking can tell.
fn secret_missing(snap: &Snapshot, access: &Access) -> Option<Problem> {
    let known = snap.secrets.as_ref()?;
    let at = access.secret.as_ref()?;
    let name = format!("{}/{}", at.namespace, at.name);
    let message = || {
        format!("Secret {name} does not exist, which {} names: create it or correct the name", at.named_by)
    };
    (!known.contains_key(&name)).then(|| Problem::new("SecretMissing", message()))
}

/// Every metrics server that the checks will ask, once: Flagger looks whether they are there when it first sees a Canary.
pub(crate) fn pings(cx: &Context<'_>) -> Vec<Question> {
    let own = (cx.c.metrics_server.clone(), Access::default());
    let mut seen = vec![own.clone()];
    let mut all = vec![Question::Ping { server: own.0, access: own.1, template: None }];
    for (name, template) in &cx.c.templates {
        let server = template.provider.address.clone().unwrap_or_default();
        let access = Access::of(name, template, &cx.c.secrets);
        let asked = (server, access);
        let kind = provider_kinds::kind(&template.provider.type_);
        if kind.is_none_or(|kind| provider_kinds::mistakes(template, kind).is_some()) || seen.contains(&asked)
        {
            continue;
        }
        seen.push(asked.clone());
        all.push(Question::Ping { server: asked.0, access: asked.1, template: Some(name.clone()) });
    }
    all
}
