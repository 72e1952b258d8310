//! What gets in the way of a release: edits of each field that `docs/edits.md` names, pods that go, an operator that dies, and
//! an API server that refuses writes. None of it loses a request by itself: pods that are deleted serve on for a moment.

use std::time::Duration;

use anyhow::Context as _;
use k8s_openapi::api::{
    admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding},
    core::v1::Pod,
};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams},
};
use serde_json::{Value, json};
use serin_bed::{User, story::Story};

use crate::Shared;

/// Numbers from a seed.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 up to, and without, `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit.max(1)
    }
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// The Canary is edited.
    Edit(&'static str, Value),
    /// A pod of this label is deleted.
    Pod(&'static str, &'static str),
    /// The target is asked for so many pods.
    Replicas(i32),
    /// The operator is killed and started again.
    Kill,
    /// The API server refuses the operator's writes of this resource in this group for a while.
    Refuse(&'static str, &'static str, &'static str),
}

impl Trouble {
    /// The next one.
    pub(crate) fn draw(draw: &mut Draw) -> Self {
        let named = json!([{"headers": {"x-insider": {"exact": "y"}}}]);
        let analysis = |name, patch: Value| Self::Edit(name, json!({"analysis": patch}));
        let all = [
            analysis("stepWeight: 25", json!({"stepWeight": 25})),
            analysis("stepWeight: 5", json!({"stepWeight": 5})),
            analysis("maxWeight: 20", json!({"maxWeight": 20})),
            analysis("maxWeight: 80", json!({"maxWeight": 80})),
            analysis("stepWeights", json!({"stepWeights": [15, 30, 60]})),
            analysis("match added", json!({"match": named})),
            analysis("match removed", json!({"match": null})),
            analysis("iterations", json!({"stepWeight": null, "maxWeight": null, "iterations": 2})),
            analysis("threshold: 1", json!({"threshold": 1})),
            analysis("threshold: 9", json!({"threshold": 9})),
            analysis(
                "one metric",
                json!({"metrics": [{"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "5s"}]}),
            ),
            analysis("canaryReplicas: match", json!({"canaryReplicas": "match"})),
            analysis("interval: 3s", json!({"interval": "3s"})),
            analysis("invalid", json!({"promotion": {"mode": "sometimes"}})),
            Self::Edit("provider", json!({"provider": "contour"})),
            Self::Edit("service.name", json!({"service": {"name": "web"}})),
            Self::Edit("targetRef", json!({"targetRef": {"name": "web"}})),
            Self::Edit("service.timeout", json!({"service": {"timeout": "9s"}})),
            Self::Edit("suspend", json!({"suspend": true})),
            Self::Edit("resume", json!({"suspend": null})),
            Self::Pod("a canary pod goes", "app"),
            Self::Pod("a primary pod goes", "app-primary"),
            Self::Replicas(3),
            Self::Replicas(1),
            Self::Kill,
            Self::Refuse("routes refused", "networking.istio.io", "virtualservices"),
            Self::Refuse("Deployments refused", "apps", "deployments"),
            Self::Refuse("Services refused", "", "services"),
        ];
        let one = draw.below(all.len() as u64) as usize;
        all[one].clone()
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Edit(name, _) | Self::Pod(name, _) | Self::Refuse(name, ..) => name,
            Self::Replicas(_) => "replicas",
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
                let alive: Vec<_> =
                    pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect();
                // the last one would take requests with it
                if alive.len() > 1 {
                    let one = alive[draw.below(alive.len() as u64) as usize].name_any();
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

    /// The spec is as it was, and nothing is refused any more.
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
            "match": null, "canaryReplicas": null, "promotion": null, "metrics": metrics,
        });
        let service = json!({"name": null, "timeout": null});
        let spec = json!({
            "suspend": null, "provider": null, "targetRef": {"name": "app"}, "service": service, "analysis": analysis,
        });
        story.edit_canary("app", json!({"spec": spec})).await
    }
}

type Policies = (Api<ValidatingAdmissionPolicy>, Api<ValidatingAdmissionPolicyBinding>);

fn policies(story: &Story<'_>) -> Policies {
    (Api::all(story.client.clone()), Api::all(story.client.clone()))
}

/// Writes of the operator in this namespace are refused.
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
