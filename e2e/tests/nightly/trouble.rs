//! Disturbances of a release: edits of each field in `docs/edits.md`, deleted pods, a crash of the operator, and an API
//! server that refuses writes. None of them loses a request by itself: deleted pods continue to serve for a moment, and the last
//! pod of a side is left. The model takes that as well.

use std::time::Duration;

use anyhow::Context as _;
use k8s_openapi::api::{
    admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding},
    autoscaling::v2::HorizontalPodAutoscaler,
    core::v1::Pod,
};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams},
};
use serde_json::{Value, json};
use serin_bed::{User, story::Story};

use crate::Shared;

/// Random numbers from a seed.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to `limit`, exclusive.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit.max(1)
    }
}

/// A disturbance.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// The Canary is edited.
    Edit(&'static str, Value),
    /// A pod with this label is deleted.
    Pod(&'static str, &'static str),
    /// The target is scaled to this number of replicas.
    Replicas(i32),
    /// The target gets an autoscaler, and the Canary names it.
    Scaler,
    /// The operator is killed and restarted.
    Kill,
    /// The API server refuses the operator's writes of this resource and group for a while.
    Refuse(&'static str, &'static str, &'static str),
}

impl Trouble {
    /// The next disturbance.
    pub(crate) fn draw(draw: &mut Draw) -> Self {
        let mut all = Self::of_the_analysis();
        all.extend(Self::of_the_rest());
        let one = draw.below(all.len() as u64) as usize;
        all[one].clone()
    }

    /// Edits of `analysis`.
    fn of_the_analysis() -> Vec<Self> {
        let named = json!([{"headers": {"x-insider": {"exact": "y"}}}]);
        let analysis = |name, patch: Value| Self::Edit(name, json!({"analysis": patch}));
        // the schema allows only one of them at a time
        let scheduled = |name, field: &str, value: Value| {
            let mut patch =
                json!({"iterations": null, "stepWeight": null, "stepWeights": null, "steps": null});
            patch[field] = value;
            analysis(name, patch)
        };
        let steps = json!([{"weight": 5}, {"weight": 25}, {"weight": 45}]);
        let success =
            || json!({"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "5s"});
        let duration =
            || json!({"name": "request-duration", "thresholdRange": {"max": 500}, "interval": "5s"});
        // the schema accepts it, but the operator refuses it
        let missing =
            json!([{"name": "missing", "templateRef": {"name": "missing"}, "thresholdRange": {"min": 1}}]);
        let closed = |kind: &str| json!([{"name": "closed", "type": kind, "url": "http://127.0.0.1:9/"}]);
        vec![
            scheduled("stepWeight: 25", "stepWeight", json!(25)),
            scheduled("stepWeight: 5", "stepWeight", json!(5)),
            scheduled("stepWeights", "stepWeights", json!([15, 30, 60])),
            scheduled("steps", "steps", steps),
            scheduled("iterations", "iterations", json!(2)),
            analysis("maxWeight: 20", json!({"maxWeight": 20})),
            analysis("maxWeight: 80", json!({"maxWeight": 80})),
            analysis("match added", json!({"match": named})),
            analysis("match removed", json!({"match": null})),
            analysis("threshold: 1", json!({"threshold": 1})),
            analysis("threshold: 9", json!({"threshold": 9})),
            analysis("one metric", json!({"metrics": [success()]})),
            analysis("metrics in another order", json!({"metrics": [duration(), success()]})),
            analysis("a webhook that fails", json!({"webhooks": closed("rollout")})),
            analysis("a gate that is closed", json!({"webhooks": closed("confirm-promotion")})),
            analysis("canaryReplicas: match", json!({"canaryReplicas": "match"})),
            analysis("interval: 3s", json!({"interval": "3s"})),
            analysis("invalid", json!({"metrics": missing})),
        ]
    }

    /// Edits of other fields, and what happens to objects and the operator.
    fn of_the_rest() -> Vec<Self> {
        let service = |name, patch: Value| Self::Edit(name, json!({"service": patch}));
        vec![
            Self::Edit("provider", json!({"provider": "contour"})),
            Self::Edit("targetRef", json!({"targetRef": {"name": "web"}})),
            service("service.name", json!({"name": "web"})),
            service("service.timeout", json!({"timeout": "9s"})),
            service("service.port", json!({"port": 8081})),
            service("service.targetPort", json!({"targetPort": "http"})),
            service("service.portName", json!({"portName": "http-app"})),
            service("service.portDiscovery", json!({"portDiscovery": true})),
            Self::Edit("skipAnalysis", json!({"skipAnalysis": true})),
            Self::Edit("suspend", json!({"suspend": true})),
            Self::Edit("resume", json!({"suspend": null})),
            Self::Scaler,
            Self::Pod("a canary pod goes", "app"),
            Self::Pod("a primary pod goes", "app-primary"),
            Self::Replicas(3),
            Self::Replicas(1),
            Self::Kill,
            Self::Refuse("routes refused", "networking.istio.io", "virtualservices"),
            Self::Refuse("Deployments refused", "apps", "deployments"),
            Self::Refuse("Services refused", "", "services"),
        ]
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Edit(name, _) | Self::Pod(name, _) | Self::Refuse(name, ..) => name,
            Self::Replicas(_) => "replicas",
            Self::Scaler => "autoscalerRef",
            Self::Kill => "the operator dies",
        }
    }

    pub(crate) async fn happen(
        &self,
        shared: &Shared,
        story: &Story<'_>,
        draw: &mut Draw,
    ) -> anyhow::Result<()> {
        match self {
            Self::Edit(_, patch) => story.edit_canary("app", json!({"spec": patch})).await,
            Self::Pod(_, label) => {
                let api: Api<Pod> = story.api();
                let pods = api.list(&ListParams::default().labels(&format!("app={label}"))).await?.items;
                let serves = |pod: &&Pod| pod.metadata.deletion_timestamp.is_none() && is_ready(pod);
                let serving: Vec<_> = pods.iter().filter(serves).collect();
                // deleting the last one that is ready would lose requests
                if serving.len() > 1 {
                    let one = serving[draw.below(serving.len() as u64) as usize].name_any();
                    api.delete(&one, &DeleteParams::default()).await?;
                }
                Ok(())
            }
            Self::Replicas(replicas) => {
                let scale = kube::api::Patch::Merge(json!({"spec": {"replicas": replicas}}));
                let api: Api<k8s_openapi::api::apps::v1::Deployment> = story.api();
                api.patch_scale("app", &kube::api::PatchParams::default(), &scale).await?;
                Ok(())
            }
            Self::Scaler => {
                let scaler = json!({
                    "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "app"},
                    "spec": {
                        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"},
                        "minReplicas": 2, "maxReplicas": 4,
                    },
                });
                let named =
                    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "app"});
                story.apply(vec![scaler]).await.context("creating the autoscaler")?;
                story.edit_canary("app", json!({"spec": {"autoscalerRef": named}})).await
            }
            Self::Kill => {
                let mut operator = shared.operator.lock().await;
                operator.kill9().await?;
                tokio::time::sleep(Duration::from_millis(300 * draw.below(10))).await;
                operator.restart().await?;
                operator.ready(Duration::from_secs(60)).await
            }
            Self::Refuse(_, group, resource) => refuse(story, group, resource).await,
        }
    }

    /// Restores the spec, and ends the refusal of writes.
    pub(crate) async fn over(story: &Story<'_>) -> anyhow::Result<()> {
        let (policies, bindings) = policies(story);
        let name = &story.namespace;
        bindings.delete(name, &DeleteParams::default()).await.ok();
        policies.delete(name, &DeleteParams::default()).await.ok();
        let metrics = json!([
            {"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "5s"},
            {"name": "request-duration", "thresholdRange": {"max": 500}, "interval": "5s"},
        ]);
        let analysis = json!({
            "interval": "2s", "threshold": 3, "stepWeight": 10, "maxWeight": 50, "stepWeights": null, "iterations": null,
            "steps": null, "match": null, "canaryReplicas": null, "metrics": metrics, "webhooks": null,
        });
        let service = json!({
            "name": null, "timeout": null, "port": 80, "targetPort": 8080, "portName": null, "portDiscovery": null,
        });
        let spec = json!({
            "suspend": null, "provider": null, "targetRef": {"name": "app"}, "service": service, "analysis": analysis,
            "autoscalerRef": null, "skipAnalysis": null,
        });
        story.edit_canary("app", json!({"spec": spec})).await?;
        let scalers: Api<HorizontalPodAutoscaler> = story.api();
        scalers.delete("app", &DeleteParams::default()).await.ok();
        Ok(())
    }
}

type Policies = (Api<ValidatingAdmissionPolicy>, Api<ValidatingAdmissionPolicyBinding>);

fn policies(story: &Story<'_>) -> Policies {
    (Api::all(story.client.clone()), Api::all(story.client.clone()))
}

/// Refuses the operator's writes in this namespace.
async fn refuse(story: &Story<'_>, group: &str, resource: &str) -> anyhow::Result<()> {
    let name = &story.namespace;
    let operator = format!("request.userInfo.username == '{}'", User::Operator.name());
    let rule = json!({
        "apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"],
        "resources": [resource, format!("{resource}/scale")],
    });
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [{"name": "operator", "expression": operator}],
            "validations": [{"expression": "false", "message": "not now"}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
        "spec": {
            "policyName": name, "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}},
        },
    });
    story.apply(vec![policy, binding]).await.context("refusing writes")
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.filter(|condition| condition.type_ == "Ready").any(|condition| condition.status == "True")
}
