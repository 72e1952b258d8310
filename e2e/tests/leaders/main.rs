//! Several operators that share the work: what happens to a release when the leader is killed, frozen or stopped, to a
//! namespace that moves to another operator, and to releases that wait in the queue.
#![allow(clippy::print_stdout, reason = "how long a take-over took is for the reader of the test's output")]

#[path = "../stories/bad_common.rs"]
#[allow(dead_code, reason = "shared with the stories that run side by side")]
mod bad_common;
mod queue;

use std::{
    process::ExitCode,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use anyhow::ensure;
use k8s_openapi::{
    api::{apps::v1::Deployment, coordination::v1::Lease, core::v1::Namespace},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{
    Bed, Options, User,
    audit::Audit,
    lacking::Lacking,
    operator::Operator,
    stage::{self, Stage},
    story,
    story::{Story, canary, deployment},
    wait,
};

use bad_common::{pace, untouched_at_25, weight, writes};

/// The shared state of the stories.
pub struct Shared {
    /// The bed, without Envoy, because no story sends requests.
    pub bed: Bed,
}

impl stage::Shared for Shared {
    fn bed(&self) -> &Bed {
        &self.bed
    }
}

/// Long enough for a bed under load.
const READY: Duration = Duration::from_secs(60);
const LEASE: &str = "flagger-leader-election";
/// The operator's rights for Leases, as shipped.
const RIGHTS: [&str; 2] = [
    include_str!("../../../deploy/kustomize/components/leader-election/role.yaml"),
    include_str!("../../../deploy/kustomize/components/leader-election/rolebinding.yaml"),
];

/// The rights of an operator with only Roles, as shipped: in the cluster, and in each namespace.
const IN_THE_CLUSTER: [&str; 4] = [
    include_str!("../../../deploy/kustomize/components/namespaced/clusterrole.yaml"),
    include_str!("../../../deploy/kustomize/components/namespaced/clusterrolebinding.yaml"),
    include_str!("../../../deploy/kustomize/components/namespaced/role.yaml"),
    include_str!("../../../deploy/kustomize/components/namespaced/rolebinding.yaml"),
];
const IN_A_NAMESPACE: [&str; 1] =
    [include_str!("../../../deploy/kustomize/components/namespaced/rights/rolebinding.yaml")];

/// An operator that watches only this namespace and has its Lease there, so that stories can run in parallel.
fn elected(shared: &Shared, namespace: &str) -> anyhow::Result<Operator> {
    let namespace = format!("--namespace={namespace}");
    Operator::start(&shared.bed, &["--enable-leader-election", &namespace, "--lease-duration=6s"], &[])
}

/// The operator's rights for a Lease, in a story's namespace.
async fn allowed(shared: &Shared, namespace: &str) -> anyhow::Result<()> {
    shared.bed.namespace(namespace).await?;
    for rights in RIGHTS {
        let rights = rights.replacen("namespace: serin-system", &format!("namespace: {namespace}"), 1);
        shared.bed.apply_yaml(namespace, &rights).await?;
    }
    Ok(())
}

/// A leader and a standby.
async fn pair(shared: &Shared, namespace: &str) -> anyhow::Result<(Operator, Operator)> {
    allowed(shared, namespace).await?;
    let (mut first, mut second) = (elected(shared, namespace)?, elected(shared, namespace)?);
    first.ready(READY).await?;
    second.ready(READY).await?;
    wait::until("one of two to lead", READY, async || {
        (leads(&first).await != leads(&second).await).then_some(())
    })
    .await?;
    Ok(if leads(&first).await { (first, second) } else { (second, first) })
}

/// Whether it leads, by its metrics.
async fn leads(operator: &Operator) -> bool {
    operator.metrics().await.is_ok_and(|text| text.lines().any(|line| line == "serin_leader 1"))
}

/// Waits until it leads, and prints how long that took.
async fn takes_over(operator: &Operator, from: &str) -> anyhow::Result<()> {
    let since = Instant::now();
    wait::until("the other to lead", READY, async || leads(operator).await.then_some(())).await?;
    println!("taken over from one that was {from}: after {:.2?}", since.elapsed());
    Ok(())
}

/// A run from version 1 to 2 that stays at 25 % until [`pace`], because its window lasts an hour.
async fn held_at_25<'a>(shared: &'a Shared, namespace: &str) -> anyhow::Result<Story<'a>> {
    let story = bad_common::story(shared, namespace).await?;
    story.initialised("app", |c| c["spec"]["analysis"]["interval"] = json!("60m")).await?;
    story.set_image("app", "app:2").await?;
    story.canary_that("app", |c| weight(c) == 25).await?;
    Ok(story)
}

/// Version 2 is promoted, and the target is scaled to zero.
async fn ends_well(story: &Story<'_>) -> anyhow::Result<()> {
    story.phase("app", Phase::Succeeded).await?;
    ensure!(story.weight("app").await? == Some(0), "weight after the end");
    ensure!(story.replicas("app").await? == Some(0), "replicas of the target after the end");
    let primary: Deployment = story.api().get("app-primary").await?;
    let spec = primary.spec.template.spec.unwrap_or_default();
    let image = spec.containers.first().and_then(|container| container.image.clone());
    ensure!(image.as_deref() == Some("app:2"), "the primary has {image:?}");
    Ok(())
}

fn leases(shared: &Shared, namespace: &str) -> Api<Lease> {
    Api::namespaced(shared.bed.admin(), namespace)
}

async fn holder(shared: &Shared, namespace: &str) -> anyhow::Result<String> {
    let spec = leases(shared, namespace).get(LEASE).await?.spec.unwrap_or_default();
    Ok(spec.holder_identity.unwrap_or_default())
}

async fn a_release_goes_on_when_its_leader_is_killed(shared: &Shared) -> anyhow::Result<()> {
    let (mut first, second) = pair(shared, "killed").await?;
    let story = held_at_25(shared, "killed").await?;
    let shown = |text: &str| text.contains("flagger_canary_status{");
    ensure!(shown(&first.metrics().await?), "the leader shows no Canary");
    ensure!(!shown(&second.metrics().await?), "one that does not lead shows Canaries");
    first.kill9().await?;
    takes_over(&second, "killed").await?;
    untouched_at_25(&story).await?;
    pace(&story).await?;
    ends_well(&story).await?;

    first.restart().await?;
    first.ready(READY).await?;
    ensure!(leads(&second).await && !leads(&first).await, "the one that comes back does not wait");
    Ok(())
}

async fn a_frozen_leader_ends_when_it_wakes_and_writes_nothing(shared: &Shared) -> anyhow::Result<()> {
    let (mut first, second) = pair(shared, "frozen").await?;
    let story = held_at_25(shared, "frozen").await?;
    first.pause()?;
    takes_over(&second, "frozen").await?;
    // a change that the frozen operator would act on as soon as it continues
    pace(&story).await?;
    ends_well(&story).await?;
    let written = writes(&story, "")?;
    first.resume()?;
    let ended = first.wait_exit(READY).await?;
    ensure!(ended.code() == Some(1), "ended with {ended}");
    ensure!(first.logs()?.contains("the lease is lost"), "it does not say why");
    let since = writes(&story, "")?.split_off(written.len());
    ensure!(since.is_empty(), "the one that had lost has written {since:?}");
    ensure!(leads(&second).await, "the other does not lead any more");
    Ok(())
}

async fn a_leader_frozen_in_a_promotion_changes_nothing_of_it(shared: &Shared) -> anyhow::Result<()> {
    let (mut first, second) = pair(shared, "promoting").await?;
    let story = held_at_25(shared, "promoting").await?;
    pace(&story).await?;
    story.canary_that("app", |c| weight(c) > 25).await?;
    first.pause()?;
    takes_over(&second, "frozen in a run").await?;
    ends_well(&story).await?;
    first.resume()?;
    ensure!(first.wait_exit(READY).await?.code() == Some(1), "it goes on");
    ends_well(&story).await
}

async fn a_leader_that_is_stopped_hands_over_at_once(shared: &Shared) -> anyhow::Result<()> {
    let (mut first, second) = pair(shared, "stopped").await?;
    let story = held_at_25(shared, "stopped").await?;
    let before = holder(shared, "stopped").await?;
    ensure!(before.starts_with("serin_"), "held by {before}");
    first.term()?;
    takes_over(&second, "stopped").await?;
    ensure!(first.wait_exit(READY).await?.success(), "it failed");
    ensure!(first.logs()?.contains("the lease is given up"), "it keeps the lease");
    ensure!(holder(shared, "stopped").await? != before, "the holder is the same");
    pace(&story).await?;
    ends_well(&story).await
}

/// Renews a Lease like a leading Flagger.
async fn as_flagger(shared: &Shared) -> anyhow::Result<()> {
    static RENEWED: AtomicU32 = AtomicU32::new(0);
    let transitions = RENEWED.fetch_add(1, Ordering::Relaxed);
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": LEASE},
        "spec": {
            "holderIdentity": "flagger-7d", "leaseDurationSeconds": 6, "leaseTransitions": transitions,
            "renewTime": MicroTime(jiff::Timestamp::now()),
        },
    });
    leases(shared, "flagger")
        .patch(LEASE, &PatchParams::apply("flagger").force(), &Patch::Apply(lease))
        .await?;
    Ok(())
}

async fn a_flagger_that_leads_is_waited_for(shared: &Shared) -> anyhow::Result<()> {
    allowed(shared, "flagger").await?;
    as_flagger(shared).await?;
    let mut operator = elected(shared, "flagger")?;
    operator.ready(READY).await?;
    let story = bad_common::story(shared, "flagger").await?;
    story.apply(vec![deployment("app", "app:1", 1), canary("app")]).await?;
    as_flagger(shared).await?;
    ensure!(!leads(&operator).await, "it leads beside a Flagger");
    ensure!(writes(&story, "app")?.is_empty(), "it acts beside a Flagger");
    takes_over(&operator, "Flagger, and was stopped").await?;
    story.phase("app", Phase::Initialized).await.map(drop)
}

async fn one_without_election_does_nothing_beside_one_that_leads(shared: &Shared) -> anyhow::Result<()> {
    let (first, second) = pair(shared, "beside").await?;
    let mut alone = Operator::start(&shared.bed, &["--namespace=beside"], &[])?;
    let said = async || {
        let reply = serin_bed::http::get(alone.address(), "/readyz").await.ok()?;
        reply.text().contains("another Serin (serin_").then_some(())
    };
    wait::until("it to say that another leads", READY, said).await?;
    let story = held_at_25(shared, "beside").await?;
    pace(&story).await?;
    ends_well(&story).await?;
    ensure!(alone.logs()?.lines().all(|line| !line.contains("a write failed")), "it writes");
    drop((first, second));
    // their lease expires
    alone.ready(READY).await?;
    story.set_image("app", "app:1").await?;
    story.phase("app", Phase::Succeeded).await.map(drop)
}

async fn a_missing_right_to_the_lease_is_said(shared: &Shared) -> anyhow::Result<()> {
    shared.bed.namespace("not-allowed").await?;
    let operator = elected(shared, "not-allowed")?;
    let said = async || {
        let reply = serin_bed::http::get(operator.address(), "/readyz").await.ok()?;
        let text = reply.text();
        (text.contains("flagger-leader-election.not-allowed cannot be written") && text.contains("forbidden"))
            .then_some(())
    };
    wait::until("the missing right to be said", READY, said).await?;
    ensure!(operator.logs()?.matches("cannot be written").count() == 1, "it is not said once");
    Ok(())
}

/// Sets the namespace's team, by which operators select namespaces, or removes it.
async fn team(shared: &Shared, namespace: &str, team: Option<&str>) -> anyhow::Result<()> {
    let api: Api<Namespace> = Api::all(shared.bed.admin());
    let patch = Patch::Merge(json!({"metadata": {"labels": {"serin-team": team}}}));
    api.patch(namespace, &PatchParams::default(), &patch).await?;
    Ok(())
}

async fn a_namespace_changes_hands_with_its_label_in_mid_run(shared: &Shared) -> anyhow::Result<()> {
    let chosen = |team: &str| {
        let selector = format!("--namespace-selector=serin-team={team}");
        Operator::start(&shared.bed, &[&selector, "--leader-election-namespace=relabelled"], &[])
    };
    let (mut first, mut second) = (chosen("one")?, chosen("two")?);
    first.ready(READY).await?;
    second.ready(READY).await?;
    shared.bed.namespace("relabelled").await?;
    team(shared, "relabelled", Some("one")).await?;
    let story = held_at_25(shared, "relabelled").await?;

    team(shared, "relabelled", None).await?;
    let forgotten = async || {
        let text = first.metrics().await.ok()?;
        (!text.contains("relabelled")).then_some(())
    };
    wait::until("the first to let go", READY, forgotten).await?;
    // with windows of a second, any operator that handles it would continue
    pace(&story).await?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    ensure!(story.weight("app").await? == Some(25), "it goes on without an operator");

    let since = Instant::now();
    team(shared, "relabelled", Some("two")).await?;
    story.canary_that("app", |c| weight(c) > 25).await?;
    println!("taken up by another operator: after {:.2?}", since.elapsed());
    ends_well(&story).await?;
    ensure!(!first.metrics().await?.contains("relabelled"), "the first takes it for its own");
    ensure!(second.metrics().await?.contains("relabelled"), "the second does not show it");
    Ok(())
}

/// The objects of the kustomize component, for an account with another name.
fn component(files: &[&str]) -> anyhow::Result<Vec<Value>> {
    let account = |text: &&str| {
        let mut object: Value = serde_saphyr::from_str(text)?;
        if let Some(subject) = object.pointer_mut("/subjects/0/name") {
            *subject = json!("namespaced");
        }
        Ok(object)
    };
    files.iter().map(account).collect()
}

async fn an_operator_with_roles_in_two_namespaces_needs_nothing_else(shared: &Shared) -> anyhow::Result<()> {
    shared.bed.apply("serin-system", component(&IN_THE_CLUSTER)?).await?;
    for namespace in ["narrow-a", "narrow-b"] {
        shared.bed.namespace(namespace).await?;
        shared.bed.apply(namespace, component(&IN_A_NAMESPACE)?).await?;
    }
    let kubeconfig = format!("--kubeconfig={}", shared.bed.kubeconfig(User::Namespaced).display());
    let flags = ["--namespace=narrow-a,narrow-b", "--leader-election-namespace=serin-system", &kubeconfig];
    let mut operator = Operator::start(&shared.bed, &flags, &[])?;
    operator.ready(READY).await?;
    for namespace in ["narrow-a", "narrow-b"] {
        let story = bad_common::story(shared, namespace).await?;
        story.initialised("app", |_| {}).await?;
        story.set_image("app", "app:2").await?;
        ends_well(&story).await?;
        story.delete_canary("app").await?;
    }
    let audit = Audit::of(&shared.bed, User::Namespaced)?;
    ensure!(audit.count() > 40, "that is not the whole log");
    let refused = audit.only(|request| request.code == 403);
    ensure!(refused.requests().iter().all(|r| r.resource == "namespaces"), "{:?}", refused.requests());
    // one attempt for each: there are no retries
    ensure!(refused.count() == 2, "{:?}", refused.requests());
    Ok(())
}

async fn start() -> anyhow::Result<Shared> {
    let bed = Bed::start(Options { envoy: false, ..Options::default() }).await?;
    bed.install().await?;
    Ok(Shared { bed })
}

const STORIES: stage::Family<Shared> = &[
    story!(a_release_goes_on_when_its_leader_is_killed),
    story!(a_frozen_leader_ends_when_it_wakes_and_writes_nothing),
    story!(a_leader_frozen_in_a_promotion_changes_nothing_of_it),
    story!(a_leader_that_is_stopped_hands_over_at_once),
    story!(a_flagger_that_leads_is_waited_for),
    story!(a_missing_right_to_the_lease_is_said),
    story!(one_without_election_does_nothing_beside_one_that_leads),
    story!(a_namespace_changes_hands_with_its_label_in_mid_run),
    story!(an_operator_with_roles_in_two_namespaces_needs_nothing_else),
];

/// Runs if a filter names them, and with `SERIN_STORIES=all`.
const SLOW: &[&str] = &[
    "a_namespace_changes_hands_with_its_label_in_mid_run",
    "an_operator_with_roles_in_two_namespaces_needs_nothing_else",
    "queue::a_hundred_releases_take_turns_ten_at_once",
];

fn main() -> anyhow::Result<ExitCode> {
    let lacking = Lacking::find("leaders")?;
    lacking.enter()?;
    let mut stage = Stage::new(lacking, start)?.without(SLOW);
    stage.play(STORIES.len(), &[("", STORIES)]);
    stage.play(1, &[("queue", queue::STORIES)]);
    stage.end()
}
