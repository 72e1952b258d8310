//! Reads the data for `doctor` and `migrate`: from the whole cluster if the user may read it, otherwise from the
//! namespace.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use futures::future::join_all;
use jiff::{Timestamp, fmt::rfc2822};
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec},
        coordination::v1::Lease as KubeLease,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Resource,
    api::{DynamicObject, ListParams, PostParams},
    client::Body,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serin::{
    names, router,
    snapshot::{ALERT_PROVIDER, CANARY, CANARY_RUN, METRIC_TEMPLATE},
    spec::validate,
};

use super::{
    connect::Cluster,
    slots::{self, Slot},
};
use crate::{
    doctor::{Definition, Lease, Look, Operator, Seen, Served},
    failure::{Asked, Failure},
    view::rules,
};

/// Labels of the operators: both charts and Serin's manifests set the first, and Flagger's manifests only the second.
const APPS: [&str; 2] = ["app.kubernetes.io/name in (serin, flagger)", "app in (serin, flagger)"];
/// Rights that the commands need.
const RIGHTS: [(&str, &str, &str); 6] = [
    ("list", "flagger.app", "canaries"),
    ("patch", "flagger.app", "canaries"),
    ("list", "serin.dev", "canaryruns"),
    ("list", "apps", "deployments"),
    ("patch", "apps", "deployments"),
    ("list", "", "pods"),
];

impl Cluster {
    /// Reads everything that `doctor` checks.
    pub(crate) async fn examine(&self, all: bool) -> Seen {
        let version = match self.client.apiserver_version().await {
            Ok(info) => Look::Read(info.git_version.trim_start_matches('v').to_owned()),
            Err(error) => {
                return Seen { version: Look::Unread(error.to_string()), ..Seen::default() };
            }
        };
        let canaries = match self.list(all, None).await {
            Ok(canaries) => Look::Read(canaries),
            Err(failure) => Look::Unread(words(&failure)),
        };
        let providers: BTreeSet<String> = canaries
            .read()
            .into_iter()
            .flatten()
            .filter_map(|canary| validate(canary, &rules(canary)).ok().map(|c| c.provider.clone()))
            .collect();
        Seen {
            version,
            clock: self.clock().await,
            rights: self.rights().await,
            definitions: self.definitions().await,
            operators: self.operators().await,
            leases: self.leases().await,
            routers: join_all(providers.iter().map(|provider| self.router(provider)))
                .await
                .into_iter()
                .flatten()
                .collect(),
            templates: self.names(METRIC_TEMPLATE).await,
            alerts: self.names(ALERT_PROVIDER).await,
            canaries,
        }
    }

    /// The API server's clock, from the Date header of its answers.
    async fn clock(&self) -> Option<Timestamp> {
        let request = http::Request::get("/version").body(Body::empty()).ok()?;
        let answer = self.client.send(request).await.ok()?;
        let date = answer.headers().get("date")?.to_str().ok()?;
        http_date(date)
    }

    async fn rights(&self) -> Vec<(String, bool)> {
        let api: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let asked = RIGHTS.map(|(verb, group, resource)| {
            let api = api.clone();
            async move {
                let attributes = ResourceAttributes {
                    namespace: Some(self.namespace.clone()),
                    verb: Some(verb.into()),
                    group: Some(group.into()),
                    resource: Some(resource.into()),
                    ..ResourceAttributes::default()
                };
                let spec = SelfSubjectAccessReviewSpec {
                    resource_attributes: Some(attributes),
                    ..SelfSubjectAccessReviewSpec::default()
                };
                let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
                let answer = api.create(&PostParams::default(), &review).await.ok()?;
                let dot = if group.is_empty() { String::new() } else { format!(".{group}") };
                let right = format!("{verb} {resource}{dot} in namespace {}", self.namespace);
                Some((right, answer.status.is_some_and(|status| status.allowed)))
            }
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    async fn definitions(&self) -> Look<BTreeMap<String, Option<Definition>>> {
        let api: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let mut all = BTreeMap::new();
        for kind in [CANARY, METRIC_TEMPLATE, ALERT_PROVIDER, CANARY_RUN] {
            let name = kind.crd();
            let asked = Asked {
                verb: "get",
                resource: "customresourcedefinitions.apiextensions.k8s.io",
                namespace: None,
                name: Some(&name),
            };
            let found = match api.get_opt(&name).await {
                Ok(found) => found,
                Err(error) => return Look::Unread(words(&asked.failure(&error))),
            };
            all.insert(name, found.map(definition));
        }
        Look::Read(all)
    }

    async fn operators(&self) -> Look<Vec<Operator>> {
        let mut found = BTreeMap::new();
        for labels in APPS {
            let params = ListParams::default().labels(labels);
            match self.everywhere::<Deployment>(&params, "deployments.apps").await {
                Err(failure) => return Look::Unread(words(&failure)),
                Ok(all) => found.extend(all.iter().filter_map(operator).map(|one| (one.place.clone(), one))),
            }
        }
        Look::Read(found.into_values().collect())
    }

    async fn leases(&self) -> Look<Vec<Lease>> {
        let params = ListParams::default().fields(&format!("metadata.name={}", names::LEASE));
        let listed = self.everywhere::<KubeLease>(&params, "leases.coordination.k8s.io").await;
        listed.map_or_else(
            |failure| Look::Unread(words(&failure)),
            |all| Look::Read(all.iter().filter_map(lease).collect()),
        )
    }

    async fn everywhere<K>(&self, params: &ListParams, resource: &str) -> Result<Vec<K>, Failure>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned,
    {
        let api: Api<K> = Api::all(self.client.clone());
        let asked = Asked { verb: "list", resource, namespace: None, name: None };
        Ok(api.list(params).await.map_err(|error| asked.failure(&error))?.items)
    }

    /// Whether the cluster serves the kinds that a provider needs.
    async fn router(&self, provider: &str) -> Option<Served> {
        let router = router::by_name(provider)?;
        let mut kinds = Vec::new();
        for kind in router.kinds().iter().filter(|kind| !kind.group.is_empty()) {
            let slot = Slot { kind: *kind, namespace: None, labels: None, fields: None };
            let listed = slot.api(&self.client).list(&ListParams::default().limit(1)).await;
            let missing = matches!(listed, Err(kube::Error::Api(status)) if status.code == 404);
            kinds.push((format!("{} {}", slots::resource(*kind), kind.version), !missing));
        }
        Some(Served { provider: provider.to_owned(), kinds })
    }

    /// The names of all objects of a kind, as `namespace/name`.
    async fn names(&self, kind: serin::snapshot::Kind) -> Look<BTreeSet<String>> {
        let listed = self.objects_of(kind, true).await;
        let name = |object: &DynamicObject| {
            let meta = &object.metadata;
            format!(
                "{}/{}",
                meta.namespace.as_deref().unwrap_or_default(),
                meta.name.as_deref().unwrap_or_default()
            )
        };
        listed.map_or_else(
            |failure| Look::Unread(words(&failure)),
            |all| Look::Read(all.iter().map(name).collect()),
        )
    }

    async fn objects_of(
        &self,
        kind: serin::snapshot::Kind,
        all: bool,
    ) -> Result<Vec<DynamicObject>, Failure> {
        let namespace = (!all).then(|| self.namespace.clone());
        let slot = Slot { kind, namespace, labels: None, fields: None };
        let resource = slots::resource(kind);
        let asked =
            Asked { verb: "list", resource: &resource, namespace: slot.namespace.as_deref(), name: None };
        Ok(slot.api(&self.client).list(&slot.params()).await.map_err(|error| asked.failure(&error))?.items)
    }

    /// All objects of Flagger's kinds in the cluster, as users wrote them.
    pub(crate) async fn flaggers(&self, all: bool) -> Result<Vec<Value>, Failure> {
        let mut objects = Vec::new();
        for kind in [CANARY, METRIC_TEMPLATE, ALERT_PROVIDER] {
            let slot = Slot { kind, namespace: None, labels: None, fields: None };
            let listed = self.objects_of(kind, all).await?;
            objects.extend(listed.iter().map(|object| {
                let mut value = slot.value(object);
                if let Some(fields) = value.as_object_mut() {
                    fields.remove("status");
                }
                value
            }));
        }
        Ok(objects)
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// Why something could not be read, in one line.
fn words(failure: &Failure) -> String {
    failure
        .hint
        .clone()
        .filter(|hint| hint.starts_with("missing right"))
        .unwrap_or_else(|| failure.message.clone())
}

fn definition(found: CustomResourceDefinition) -> Definition {
    let version = found.metadata.annotations.unwrap_or_default().remove(names::ANNOTATION_VERSION);
    let served: Vec<String> = found.spec.versions.into_iter().filter(|v| v.served).map(|v| v.name).collect();
    let stored = found.status.and_then(|status| status.stored_versions).unwrap_or_default();
    Definition { version, unserved: stored.into_iter().filter(|version| !served.contains(version)).collect() }
}

fn operator(found: &Deployment) -> Option<Operator> {
    let meta = &found.metadata;
    let (name, labels) = (meta.name.as_deref()?, meta.labels.clone().unwrap_or_default());
    // load testers and Prometheus from the same charts do not act on Canaries
    let part = labels.get("app.kubernetes.io/component").map(String::as_str).unwrap_or_default();
    if name.contains("loadtester") || name.contains("prometheus") || part == "loadtester" {
        return None;
    }
    let spec = &found.spec;
    let image = spec.template.spec.as_ref()?.containers.first()?.image.clone().unwrap_or_default();
    let ready = found.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0);
    Some(Operator {
        place: format!("{}/{name}", meta.namespace.as_deref().unwrap_or_default()),
        image,
        wanted: i64::from(spec.replicas.unwrap_or(1)),
        ready: i64::from(ready),
    })
}

fn lease(found: &KubeLease) -> Option<Lease> {
    let spec = found.spec.as_ref()?;
    Some(Lease {
        namespace: found.metadata.namespace.clone().unwrap_or_default(),
        holder: spec.holder_identity.clone().filter(|holder| !holder.is_empty())?,
        renewed: spec.renew_time.as_ref().map(|time| time.0),
        lasts: i64::from(spec.lease_duration_seconds.unwrap_or(15)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_date_of_an_answer_is_read() {
        assert_eq!(
            http_date("Sun, 29 Nov 2026 19:00:00 GMT").map(|at| at.to_string()).as_deref(),
            Some("2026-11-29T19:00:00Z")
        );
        assert_eq!(http_date("soon"), None);
    }

    #[test]
    fn only_what_acts_on_canaries_is_an_operator() {
        let of = |name: &str, image: &str| {
            let labels = json!({"app": name});
            let found = json!({"metadata": {"name": name, "namespace": "serin-system"}, "spec": {
                "selector": {"matchLabels": labels}, "replicas": 2,
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": image}]}}},
                "status": {"readyReplicas": 1}});
            operator(&serde_json::from_value(found).unwrap())
        };
        let serin = of("serin", "example.com/serin:0.1.0").unwrap();
        assert_eq!(
            (serin.place.as_str(), serin.wanted, serin.ready, serin.is_serin()),
            ("serin-system/serin", 2, 1, true)
        );
        assert!(!of("flagger", "ghcr.io/fluxcd/flagger:1.44.0").unwrap().is_serin());
        assert!(of("flagger", "example.com/serin:0.1.0").unwrap().is_serin(), "its image was swapped");
        assert_eq!(of("flagger-loadtester", "x"), None);
    }

    /// An API server that has these Deployments, and selects by labels.
    fn serving(deployments: Vec<Value>) -> Cluster {
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let query = request.uri().query().unwrap_or_default().to_owned();
            let selector = query.split('&').find_map(|pair| pair.strip_prefix("labelSelector="));
            let selector = selector.unwrap_or_default().replace('+', " ").replace("%2F", "/");
            let selector = selector.replace("%28", "(").replace("%29", ")").replace("%2C", ",");
            let (label, values) = selector.split_once(" in ").unwrap();
            let values: Vec<_> = values.trim_matches(['(', ')']).split(',').map(str::trim).collect();
            let chosen = |one: &&Value| {
                one["metadata"]["labels"][label].as_str().is_some_and(|value| values.contains(&value))
            };
            let items: Vec<_> = deployments.iter().filter(chosen).collect();
            let list =
                json!({"apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": {}, "items": items});
            let answer = http::Response::new(Body::from(list.to_string().into_bytes()));
            async move { Ok::<_, std::convert::Infallible>(answer) }
        });
        Cluster {
            client: kube::Client::new(service, "shop"),
            namespace: "shop".into(),
            user: "ann".into(),
            context: "test".into(),
            server: "https://api.example".into(),
        }
    }

    #[tokio::test]
    async fn an_operator_is_found_by_the_labels_of_charts_and_of_manifests() {
        let of = |name: &str, image: &str, labels: Value| {
            json!({"metadata": {"name": name, "namespace": "system", "uid": name, "labels": labels}, "spec": {
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "a", "image": image}]}}}})
        };
        let cluster = serving(vec![
            of(
                "serin",
                "example.com/serin:0.2.0",
                json!({"app.kubernetes.io/name": "serin", "app": "serin"}),
            ),
            of("flagger", "ghcr.io/fluxcd/flagger:1.44.0", json!({"app": "flagger"})),
            of("swapped", "example.com/serin:0.2.0", json!({"app": "flagger"})),
            of("flagger-prometheus", "prom/prometheus:3", json!({"app": "flagger"})),
            of("app", "example.com/app:1", json!({"app": "app"})),
        ]);
        let Look::Read(found) = cluster.operators().await else { panic!("not read") };
        let places: Vec<_> = found.iter().map(|one| (one.place.as_str(), one.is_serin())).collect();
        assert_eq!(places, [("system/flagger", false), ("system/serin", true), ("system/swapped", true)]);
    }
}
