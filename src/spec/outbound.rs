//! Servers that a Canary or a MetricTemplate names, and that the operator may not contact.

use url::Url;

use super::problem::Problem;
use crate::{
    api::{CanaryAnalysis, CanarySpec},
    config::Rules,
    outbound::OutboundPolicy,
};

/// The first one of a Canary. Addresses of its name are checked when it is contacted.
pub(super) fn forbidden(
    spec: &CanarySpec,
    analysis: &CanaryAnalysis,
    namespace: &str,
    rules: &Rules,
) -> Option<Problem> {
    let server = spec.metrics_server.as_deref().map(|url| ("spec.metricsServer".to_owned(), url));
    let hooks = analysis.webhooks.iter();
    let hooks = hooks.map(|h| (format!("spec.analysis.webhooks[{}].url", h.name), h.url.as_str()));
    server.into_iter().chain(hooks).find_map(|(field, url)| refused(&field, url, namespace, &rules.outbound))
}

/// Why the address in this field of an object of `namespace` is not allowed, with object and field. An invalid URL is
/// reported elsewhere.
pub fn refused(field: &str, address: &str, namespace: &str, outbound: &OutboundPolicy) -> Option<Problem> {
    let refusal = outbound.admits(&Url::parse(address.trim()).ok()?, namespace).err()?;
    Some(Problem::new("HostNotAllowed", format!("{field}: {refusal}")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fault(canary: Value) -> Option<Problem> {
        let spec: CanarySpec = serde_json::from_value(canary).unwrap();
        forbidden(&spec, &spec.analysis.clone().unwrap_or_default(), "test", &Rules::default())
    }

    #[test]
    fn x1_what_may_not_be_asked_is_named_with_its_field() {
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"});
        let server = |url: &str| fault(json!({"targetRef": target, "metricsServer": url}));
        let refused = server("http://0x7f.1:9090").unwrap();
        assert_eq!(refused.reason, "HostNotAllowed");
        let words = "spec.metricsServer: host not allowed: 127.0.0.1 is a loopback address";
        assert!(refused.message.starts_with(words), "{}", refused.message);
        let hook = json!({"name": "gate", "type": "rollout", "url": "http://kubernetes.default.svc/api"});
        assert_eq!(
            fault(json!({"targetRef": target, "analysis": {"webhooks": [hook]}})).unwrap().message,
            "spec.analysis.webhooks[gate].url: host not allowed: kubernetes.default.svc is the API server"
        );
        assert_eq!(server("http://prom.monitoring:9090"), None);
        assert_eq!(server("what"), None);
    }
}
