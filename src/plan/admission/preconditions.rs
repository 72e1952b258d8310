//! What a Canary needs before anything is decided: a valid spec, a router that supports it, its
//! target, and no other claim to the same objects.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    analysis::{self, Ask, Checks},
    api::Phase,
    manifest::pod_policies,
    names,
    plan::{
        admission::{claims, config_tracking, metadata, metric_templates, neighbours, ownership, references},
        analysis::jobs,
        builder::PlanBuilder,
        configs::Configs,
        context::Context,
        model::{Answers, Messages},
        objects::{autoscaler, config_snapshots, strangers},
        traffic::pod_weighting,
    },
    router::{self, Cookies, Router, Split},
    snapshot::{Kind, ObjectRef, Snapshot},
    spec::{Denial, Findings, Problem, Validated, validate},
};

/// Why the Canary must not be acted on.
pub(crate) struct Rejection {
    /// In words.
    pub(crate) problem: Problem,
    /// For the condition `NotYetServed`.
    pub(crate) unserved: Option<String>,
}

impl From<Problem> for Rejection {
    fn from(problem: Problem) -> Self {
        Self { problem, unserved: None }
    }
}

fn reject(reason: &'static str, message: impl Into<String>) -> Rejection {
    Problem::new(reason, message).into()
}

/// The router of the Canary, if its objects are in this cluster.
fn router_here(snap: &Snapshot, c: &Validated) -> Result<&'static dyn Router, Rejection> {
    let router = router::by_name(&c.provider).ok_or_else(|| unserved(&[no_router(&c.provider)]))?;
    if routed_elsewhere(snap, router) { Err(remote_mesh(&c.provider)) } else { Ok(router) }
}

/// Everything that a decision needs, or the first obstacle.
pub(crate) fn surroundings<'a>(
    snap: &'a Snapshot,
    answers: &'a Answers,
    now: Timestamp,
    d: &mut PlanBuilder,
) -> Result<Context<'a>, Rejection> {
    let c = validate(&snap.canary, &snap.rules).map_err(|refusal| match refusal {
        Denial::Invalid(problem) => problem.into(),
        Denial::Unserved(list) => unserved(&list),
    })?;
    let router = router_here(snap, &c)?;
    undisputed(snap, &c, router)?;
    let c = claimed(snap, c, router)?;
    let (target, label) = target(snap, &c)?;
    let mut findings = Findings::of(&c, &snap.rules);
    findings.kept = not_followed(snap);
    findings.advice.extend(ports(snap, &c, target, &label)?);
    overlap(snap, &c, target, &label, &mut findings)?;
    findings.advice.extend(policies(snap, &c, target, &label));
    findings.faults.extend(paused(snap, &c, target));
    findings.faults.extend(pod_weighting::port_fault(snap, &c, target));
    findings.faults.extend(pod_weighting::fault(snap, &c, target, &label));
    findings.advice.extend(pod_weighting::advice(snap, &c, target));
    ownership::check(snap, &c, router)?;
    findings.advice.extend(ownership::charted(snap, &c, router));
    findings.advice.extend(neighbours::advice(snap, &c, router));
    findings
        .advice
        .extend(snap.bystanders.iter().filter_map(|other| router.touches(&c, &snap.objects, other)));
    let (scaler, scaler_problem) = autoscaler(snap, &c, &label, &mut findings)?;
    let mut checks = metric_templates::look(snap, &c, target, &mut findings);
    jobs::look(snap, &c, &mut checks, &label, &mut findings);
    let asks = analysis::asks(&c, &checks, router.queries());
    verdicts(&c, &checks, &asks, &mut findings);
    findings.advice.extend(metric_templates::uncounted(snap, answers, &asks, router.queries()));
    findings.advice.extend(references::alerts(snap, &c));
    references::forbidden(snap, &c, &asks)?;
    if snap.canary.metadata.deletion_timestamp.is_none() {
        metadata::allowed(snap, &c)?;
        fit(snap, &c, target)?;
        renders(snap, &c, router)?;
    }
    findings.advice.extend(router::ignored(router, &c));
    findings.advice.extend(router.advice(&c, &snap.objects));
    let messages = Messages::new(&c.name, &c.names.target, &c.names.primary, &c.namespace);
    let (configs, hash) = (Configs::default(), String::new());
    let cx = Context {
        snap,
        answers,
        now,
        rejected: false,
        resumed: false,
        c,
        checks,
        findings,
        router,
        messages,
        asks,
        target,
        label,
        configs,
        scaler,
        scaler_problem,
        hash,
    };
    with_configs(cx, d)
}

/// Its routing objects are in another cluster: here they would lead nobody.
pub(super) fn routed_elsewhere(snap: &Snapshot, router: &dyn Router) -> bool {
    snap.rules.remote_mesh && router::of_mesh(router)
}

fn remote_mesh(provider: &str) -> Rejection {
    let text = format!(
        "not served yet: routing objects of {provider} in a second cluster (--kubeconfig-service-mesh). Nothing is \
         changed until the operator runs without this flag: remove it only if the mesh reads the routing objects of \
         this cluster"
    );
    Rejection {
        problem: Problem::new("NotYetServed", text),
        unserved: Some("--kubeconfig-service-mesh".into()),
    }
}

/// Without anything that its namespace may not claim, if it is being deleted: it still gives everything back.
fn claimed(snap: &Snapshot, c: Validated, router: &'static dyn Router) -> Result<Validated, Rejection> {
    let (c, refused) = claims::bound(&snap.rules, &snap.objects, c, router);
    let refused = refused.filter(|_| snap.canary.metadata.deletion_timestamp.is_none());
    refused.map_or(Ok(c), |problem| Err(problem.into()))
}

/// Edits of fields from which the objects were created.
fn not_followed(snap: &Snapshot) -> Option<Problem> {
    (!snap.not_followed.is_empty()).then(|| {
        Problem::new(
            "FieldInUse",
            format!(
                "{}: a Canary keeps these while it exists. Set them back, or delete the Canary, which gives everything back, and create it again",
                snap.not_followed.join("; ")
            ),
        )
    })
}

/// No other Canary claims the same objects, and the cluster knows the router's objects.
fn undisputed(snap: &Snapshot, c: &Validated, router: &'static dyn Router) -> Result<(), Rejection> {
    if let Some(rival) = older_rival(snap) {
        return Err(ownership::disputed(c, rival).into());
    }
    if let Some(kind) = router.kinds().iter().find(|k| snap.missing_kinds.contains(&k.crd())) {
        return Err(reject(
            "MeshMissing",
            format!(
                "the cluster has no {} ({}): install {} or set spec.provider to what it has",
                kind.kind,
                kind.crd(),
                c.provider
            ),
        ));
    }
    let unlisted = |k: &&Kind| snap.unlisted_kinds.contains_key(&k.crd());
    if let Some(kind) = router.kinds().iter().chain([&c.target.kind()]).find(unlisted) {
        return Err(unlisted_kind(kind, &snap.unlisted_kinds[&kind.crd()]));
    }
    match router.kinds().iter().find(|k| snap.forbidden_kinds.contains(&k.crd())) {
        Some(kind) => Err(unreadable(kind)),
        None => Ok(()),
    }
}

/// It is defined, but the API server does not list it.
fn unlisted_kind(kind: &Kind, why: &str) -> Rejection {
    reject(
        "MeshMissing",
        format!(
            "the API server does not list {} {} ({}): {why}. Look whether that version is served and its conversion \
             webhook answers, or set spec.provider to what the cluster has",
            kind.api_version(),
            kind.kind,
            kind.crd()
        ),
    )
}

fn unreadable(kind: &Kind) -> Rejection {
    let scope =
        if kind.cluster_wide() { "of the whole cluster, for which a Role is not enough" } else { "here" };
    reject(
        "ApiRefused",
        format!(
            "the operator may not list {} ({}) {scope}: give it the rule of the shipped ClusterRole",
            kind.kind,
            kind.crd()
        ),
    )
}

/// The target, and the label with its value by which it selects its pods.
fn target<'a>(snap: &'a Snapshot, c: &Validated) -> Result<(&'a Value, (String, String)), Rejection> {
    let noun = c.target.noun();
    let target = snap.objects.get(c.target.kind(), &c.names.target).ok_or_else(|| {
        reject(
            "TargetMissing",
            format!(
                "{noun} {}.{} get query error: not found: create it or correct spec.targetRef.name",
                c.names.target, c.namespace
            ),
        )
    })?;
    let label = c.target.label(target, &snap.rules.selector_labels).ok_or_else(|| {
        reject("NoSelectorLabel", format!(
            "{noun} {}.{} spec.selector.matchLabels must contain one of [{}]: add one, or name yours with --selector-labels",
            c.names.target, c.namespace, snap.rules.selector_labels.join(" ")
        ))
    })?;
    Ok((target, label))
}

/// A paused Deployment keeps running its template from before the pause, whatever its template says: that would be
/// analysed, or promoted, instead of the new revision.
fn paused(snap: &Snapshot, c: &Validated, target: &Value) -> Option<Problem> {
    let primary = snap.objects.get(c.target.kind(), &c.names.primary);
    let paused = |live: &&Value| live["spec"]["paused"] == true && c.target.replicated();
    let name = Some(target).into_iter().chain(primary).find(paused)?["metadata"]["name"].as_str()?;
    Some(Problem::new(
        "Paused",
        format!(
            "Deployment {name} is paused (spec.paused), so that it starts no pods of a new template: resume it with kubectl -n {} rollout resume deployment {name}",
            c.namespace
        ),
    ))
}

/// Selectors that match the pods of others. Before anything has been created, this stops everything.
fn overlap(
    snap: &Snapshot,
    c: &Validated,
    target: &Value,
    label: &(String, String),
    findings: &mut Findings,
) -> Result<(), Rejection> {
    let unmade = matches!(snap.status().phase.unwrap_or_default(), Phase::Unset | Phase::Initializing);
    match strangers::fault(snap, c, target, label) {
        Some(problem) if unmade && snap.canary.metadata.deletion_timestamp.is_none() => Err(problem.into()),
        Some(problem) => {
            findings.faults.push(problem);
            Ok(())
        }
        None => {
            findings.advice.extend(strangers::advice(snap, c));
            Ok(())
        }
    }
}

/// Policies that select the target's pods by their labels, and not the pods that serve users.
fn policies(snap: &Snapshot, c: &Validated, target: &Value, label: &(String, String)) -> Vec<String> {
    if !c.target.rests() {
        return vec![];
    }
    let labels = |live: &Value| live["spec"]["template"]["metadata"]["labels"].clone();
    let beside = labels(target);
    let made = snap.objects.get(c.target.kind(), &c.names.primary).map(labels);
    let serving = made.unwrap_or_else(|| {
        let mut labels = beside.as_object().cloned().unwrap_or_default();
        labels.insert(label.0.clone(), names::primary(&label.1).into());
        labels.into()
    });
    pod_policies::advice(c, [&beside, &serving], snap)
}

/// With the configuration of the target's template, and the revision that both form.
fn with_configs<'a>(mut cx: Context<'a>, d: &mut PlanBuilder) -> Result<Context<'a>, Rejection> {
    cx.configs = config_tracking::look(cx.snap, cx.answers, cx.c.target, cx.target);
    cx.hash = config_tracking::target_hash(cx.snap, cx.c.target, cx.target, &cx.configs);
    config_tracking::wait_for_unread(&cx, d);
    d.status.observed_configs.clone_from(&cx.configs.observed);
    if let Some(problem) = cx.configs.problem.clone() {
        if cx.applied() != Some(cx.hash.as_str()) && !config_tracking::committed(cx.status()) {
            return Err(problem.into());
        }
        // as far as visible nothing has changed: running work continues, and no weight changes. Before the questions are
        // asked, what is read with them is no obstacle
        let asked = cx.answers.asked_at != Timestamp::default();
        if asked || d.unread.is_empty() {
            cx.findings.faults.push(problem);
        }
    }
    let advice = config_snapshots::advice(&cx);
    cx.findings.advice.extend(advice);
    Ok(cx)
}

/// The autoscaler, or its problem. Before anything has been created, a problem stops everything.
fn autoscaler<'a>(
    snap: &'a Snapshot,
    c: &Validated,
    label: &(String, String),
    findings: &mut Findings,
) -> Result<(Option<&'a Value>, Option<Problem>), Rejection> {
    match autoscaler::find(snap, c, label, findings) {
        Ok(scaler) => Ok((scaler, None)),
        Err(problem) if unmade(snap) && snap.canary.metadata.deletion_timestamp.is_none() => {
            Err(problem.into())
        }
        Err(problem) => Ok((None, Some(problem))),
    }
}

/// The router supports the strategy, and the source of its route exists: otherwise nothing may change.
fn renders(snap: &Snapshot, c: &Validated, router: &'static dyn Router) -> Result<(), Rejection> {
    let mut refused = router.unsupported(c);
    if c.target.is_copied() && router.apex_is_primary() {
        refused.push(format!(
            "spec.provider: with {} users call Service {} itself, which carries the new revision at once: choose a provider that routes them",
            c.provider, c.names.target
        ));
    }
    if !refused.is_empty() {
        return Err(reject("InvalidSpec", refused.join("; ")));
    }
    let made = router.render(c, &snap.objects, Split::to_canary(0), &Cookies::default());
    made.map(drop).map_err(|why| reject("RouteSourceMissing", why.to_string()))
}

fn no_router(provider: &str) -> String {
    if router::retired(provider) {
        return format!("spec.provider: {provider} (its maintainers have given it up)");
    }
    let served: Vec<&str> = router::all().iter().map(|r| r.name()).collect();
    format!("spec.provider: {provider} (served are {})", served.join(", "))
}

fn unserved(list: &[String]) -> Rejection {
    let text = list.join(", ");
    Rejection {
        problem: Problem::new(
            "NotYetServed",
            format!("not served yet: {text}. Nothing is changed until the spec asks only for what is"),
        ),
        unserved: Some(text),
    }
}

/// The Canary that keeps what both claim, if there is one: the older, unless this one already has it.
pub fn older_rival(snap: &Snapshot) -> Option<&crate::snapshot::Rival> {
    let meta = &snap.canary.metadata;
    let ours = (meta.creation_timestamp.as_ref().map(|t| t.0), meta.uid.as_deref().unwrap_or_default());
    snap.rivals.iter().find(|r| (r.created, r.uid.as_str()) < ours && !ownership::holds(snap, &r.wants))
}

fn ports(
    snap: &Snapshot,
    c: &Validated,
    target: &Value,
    label: &(String, String),
) -> Result<Vec<String>, Rejection> {
    let prefixes = &snap.rules.include_label_prefix;
    let sides = c.target.sides(c, target, label, &snap.objects, prefixes);
    let mut advice = sides.map_err(|why| reject("PortUnresolved", why))?.advice;
    advice.extend(c.target.advice(c, target, &snap.objects));
    Ok(advice)
}

/// A new revision of the target could run.
fn fit(snap: &Snapshot, c: &Validated, target: &Value) -> Result<(), Rejection> {
    if let Some(why) = c.target.unfit(target) {
        return Err(reject("TargetUnfit", format!("{} {}: {why}", c.target.kind().kind, c.names.target)));
    }
    let held_back = c.target.held_back(target).filter(|_| unmade(snap));
    let at = ObjectRef::new(c.target.kind(), c.names.target.clone());
    held_back.map_or(Ok(()), |why| Err(ownership::unsafe_to_take(&at, &why).into()))
}

/// No primary has been made yet.
fn unmade(snap: &Snapshot) -> bool {
    matches!(snap.status().begun(), Phase::Unset | Phase::Initializing)
}

/// Validates the limits and conditions of metrics.
fn verdicts(c: &Validated, checks: &Checks, asks: &[Ask], findings: &mut Findings) {
    let (faults, advice) = analysis::limits::check(c, checks, asks);
    findings.faults.extend(faults);
    findings.advice.extend(advice);
}
