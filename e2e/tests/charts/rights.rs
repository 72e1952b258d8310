//! Parts of the rights: what each value removes from the ClusterRole, the parts that can be combined, and the roles for
//! users.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{
    Helm, arguments, chart, deployment, find, helms,
    namespaces::{Right, rights},
    read,
};

/// All rights of the shipped ClusterRole.
fn shipped() -> Result<BTreeSet<Right>> {
    let role: Value = serde_saphyr::from_str(&read("deploy/kustomize/base/clusterrole.yaml")?)?;
    Ok(rights(&role))
}

/// The operator's rights with these values, without those for definitions.
fn with(helm: &Helm, values: &[&str]) -> Result<BTreeSet<Right>> {
    let objects = helm.render(&chart("serin", "serin").set(&["crd.manage=false"]).set(values))?;
    Ok(rights(find(&objects, "ClusterRole", "serin")?))
}

/// The kinds that only routers need, as group and resource.
fn of_routers() -> BTreeSet<(&'static str, &'static str)> {
    let kinds = serin::router::all().iter().flat_map(|router| router.all_kinds());
    kinds.filter(|kind| !kind.group.is_empty()).map(|kind| (kind.group, kind.plural)).collect()
}

#[test]
fn f14_each_router_has_rights_to_its_own_kinds_alone() -> Result<()> {
    let (all, of_routers) = (shipped()?, of_routers());
    let kind = |right: &Right| of_routers.contains(&(right.0.as_str(), right.1.as_str()));
    for helm in helms()? {
        for router in serin::router::all() {
            let name = router.name().split(':').next().unwrap_or_default();
            let given = with(&helm, &[&format!("rbac.providers={{{name}}}")])?;
            let own: BTreeSet<_> = router.all_kinds().into_iter().map(|k| k.group).collect();
            let wanted: BTreeSet<_> =
                all.iter().filter(|right| !kind(right) || own.contains(right.0.as_str())).cloned().collect();
            ensure!(given == wanted, "{name}: {:?}", given.symmetric_difference(&wanted).collect::<Vec<_>>());
        }
    }
    Ok(())
}

#[test]
fn f14_what_is_not_used_needs_no_rights() -> Result<()> {
    let all = shipped()?;
    let without =
        |gone: &dyn Fn(&Right) -> bool| all.iter().filter(|r| !gone(r)).cloned().collect::<BTreeSet<_>>();
    let of = |right: &Right, resources: &[&str]| resources.contains(&right.1.as_str());
    let configs = |right: &Right| of(right, &["secrets", "configmaps"]);
    let named = |right: &Right| right.1 == "secrets" && right.3 == "get";
    for helm in helms()? {
        for (values, wanted) in [
            (&[][..], all.clone()),
            (&["rbac.jobs=false"], without(&|right| of(right, &["jobs", "pods"]))),
            (&["configTracking.enabled=false"], without(&|right| configs(right) && !named(right))),
            (&["rbac.secrets=false"], without(&configs)),
            (
                &["rbac.secrets=false", "rbac.jobs=false", "rbac.providers={kubernetes}"],
                without(&|right| {
                    configs(right)
                        || of(right, &["jobs", "pods"])
                        || of_routers().contains(&(right.0.as_str(), right.1.as_str()))
                }),
            ),
        ] {
            let given = with(&helm, values)?;
            ensure!(
                given == wanted,
                "{values:?}: {:?}",
                given.symmetric_difference(&wanted).collect::<Vec<_>>()
            );
        }
    }
    Ok(())
}

#[test]
fn f14_the_parts_are_the_whole_and_have_nothing_twice() -> Result<()> {
    for helm in helms()? {
        for values in [&[][..], &["rbac.providers={istio,nginx}", "rbac.jobs=false"], &["crd.manage=false"]] {
            let render = |more: &[&str]| helm.render(&chart("serin", "serin").set(values).set(more));
            let whole = rights(find(&render(&[])?, "ClusterRole", "serin")?);
            let objects = render(&["rbac.aggregated=true"])?;
            let role = find(&objects, "ClusterRole", "serin")?;
            // the controller that aggregates roles overwrites their own rules
            ensure!(role["rules"].is_null(), "{role}");
            let chosen = role["aggregationRule"]["clusterRoleSelectors"][0]["matchLabels"].as_object();
            let (label, _) = chosen.and_then(|labels| labels.iter().next()).context("a label")?;
            let parts: Vec<_> = objects.iter().filter(|o| o["metadata"]["labels"][label] == "true").collect();
            let mut sum = BTreeSet::new();
            for part in &parts {
                let own = rights(part);
                ensure!(!own.is_empty() && sum.is_disjoint(&own), "{part}");
                sum.extend(own);
            }
            ensure!(sum == whole, "{:?}", sum.symmetric_difference(&whole).collect::<Vec<_>>());
            let names: Vec<_> = parts.iter().filter_map(|part| part["metadata"]["name"].as_str()).collect();
            ensure!(names.contains(&"serin-core") && names.contains(&"serin-istio"), "{names:?}");
            ensure!(
                names.contains(&"serin-credentials") && names.contains(&"serin-config-tracking"),
                "{names:?}"
            );
            ensure!(names.contains(&"serin-jobs") != values.contains(&"rbac.jobs=false"), "{names:?}");
        }
    }
    Ok(())
}

/// A user who may write the status decides where traffic goes.
#[test]
fn f14_the_roles_of_users_leave_the_status_to_the_operator() -> Result<()> {
    for helm in helms()? {
        let objects = helm.render(&chart("serin", "serin"))?;
        for (name, into, verb) in [
            ("serin-view", &["view", "edit", "admin"][..], "list"),
            ("serin-operate", &["edit", "admin"], "patch"),
            ("serin-admin", &["admin"], "create"),
        ] {
            let role = find(&objects, "ClusterRole", name)?;
            let labels = role["metadata"]["labels"].as_object().context("labels")?;
            let aggregated = labels.keys().filter_map(|key| key.split("aggregate-to-").nth(1));
            let aggregated: BTreeSet<_> = aggregated.collect();
            ensure!(aggregated == into.iter().copied().collect(), "{name}: {aggregated:?}");
            ensure!(labels.values().all(Value::is_string), "{name}");
            let own = rights(role);
            ensure!(
                own.iter().all(|(group, resource, ..)| !resource.contains(['/', '*']) && group != "*"),
                "{name}"
            );
            ensure!(own.iter().any(|right| right.1 == "canaries" && right.3 == verb), "{name}");
        }
        // addresses of alert providers may contain tokens
        ensure!(
            !rights(find(&objects, "ClusterRole", "serin-view")?).iter().any(|r| r.1 == "alertproviders")
        );
        let off = helm.render(&chart("serin", "serin").set(&["rbac.aggregate=false"]))?;
        let left = off.iter().filter(|o| o["kind"] == "ClusterRole").count();
        ensure!(left == 1, "{left}");
    }
    Ok(())
}

#[test]
fn f10_who_reads_metrics_may_be_asked_about_only_where_that_is_wanted() -> Result<()> {
    let reviews = ["tokenreviews", "subjectaccessreviews"];
    for helm in helms()? {
        for (values, wanted) in [(&[][..], 0), (&["metricsAuth=true"][..], 2)] {
            let objects = helm.render(&chart("serin", "serin").set(values))?;
            let own = rights(find(&objects, "ClusterRole", "serin")?);
            let given = own.iter().filter(|right| reviews.contains(&right.1.as_str())).count();
            let (_, container) = deployment(&objects, "serin")?;
            let flag = arguments(container).contains(&"--metrics-auth");
            ensure!((given, flag) == (wanted, wanted > 0), "{values:?}: {given} {flag}");
        }
    }
    Ok(())
}

#[test]
fn f14_policies_are_about_the_account_of_the_release_and_off_by_default() -> Result<()> {
    let of = |objects: &[Value]| -> Vec<String> {
        let all = objects.iter().filter_map(|o| o["kind"].as_str());
        all.filter(|kind| kind.ends_with("AdmissionPolicy")).map(str::to_owned).collect()
    };
    for helm in helms()? {
        ensure!(of(&helm.render(&chart("serin", "serin"))?).is_empty(), "they are on");
        let objects = helm.render(&chart("serin", "serin").set(&["policies.enabled=true"]))?;
        ensure!(of(&objects).len() == 7, "{:?}", of(&objects));
        let makes = find(&objects, "ValidatingAdmissionPolicy", "serin-operator-makes")?;
        let about = makes["spec"]["matchConditions"][0]["expression"].as_str().unwrap_or_default();
        ensure!(about.ends_with("\"system:serviceaccount:ops:serin\""), "{about}");
    }
    Ok(())
}

/// What Flagger reads and writes of the kinds that Serin serves as well. It gets and updates whole objects.
const FLAGGERS: [(&str, &[&str]); 15] = [
    ("", &["events", "configmaps", "secrets", "services"]),
    ("apps", &["deployments", "daemonsets"]),
    ("autoscaling", &["horizontalpodautoscalers"]),
    ("keda.sh", &["scaledobjects"]),
    ("flagger.app", &["canaries", "canaries/status", "metrictemplates", "alertproviders"]),
    ("networking.istio.io", &["virtualservices", "destinationrules"]),
    ("gateway.networking.k8s.io", &["httproutes"]),
    ("projectcontour.io", &["httpproxies"]),
    ("traefik.io", &["traefikservices"]),
    ("networking.k8s.io", &["ingresses"]),
    ("apisix.apache.org", &["apisixroutes"]),
    ("gateway.solo.io", &["routetables"]),
    ("gloo.solo.io", &["upstreams"]),
    ("kuma.io", &["trafficroutes"]),
    ("split.smi-spec.io", &["trafficsplits"]),
];

#[test]
fn flaggers_image_may_do_what_flagger_does_and_no_policy_refuses_it() -> Result<()> {
    let back = ["image.allowFlagger=true", "policies.enabled=true", "leaderElection.enabled=true"];
    let has = |own: &BTreeSet<Right>, group: &str, resource: &str, name: &str, verb: &str| {
        own.contains(&(group.to_owned(), resource.to_owned(), name.to_owned(), verb.to_owned()))
    };
    for helm in helms()? {
        for (values, kind) in [
            (&[][..], "ClusterRole"),
            (&["rbac.namespaced=true", "namespace=shop"], "Role"),
            (&["rbac.aggregated=true"], "parts"),
        ] {
            let objects = helm.render(&chart("flagger", "flagger").set(&back).set(values))?;
            let own: BTreeSet<Right> = if kind == "parts" {
                let parts = objects.iter().filter(|o| o["kind"] == "ClusterRole");
                parts.flat_map(rights).collect()
            } else {
                rights(find(&objects, kind, "flagger")?)
            };
            for (group, resources) in FLAGGERS {
                for resource in resources.iter().filter(|r| kind != "Role" || **r != "trafficroutes") {
                    for verb in ["get", "list", "watch", "create", "update", "patch", "delete"] {
                        ensure!(
                            has(&own, group, resource, "", verb),
                            "{values:?}: {verb} {resource} {group}"
                        );
                    }
                }
            }
            for (group, resource, verb) in [
                ("serving.knative.dev", "services", "update"),
                ("serving.knative.dev", "revisions", "get"),
                ("external.metrics.k8s.io", "*", "get"),
                ("metrics.keptn.sh", "analyses", "create"),
                // OpenShift asks for it where an owner is named
                ("flagger.app", "canaries/finalizers", "update"),
            ] {
                ensure!(has(&own, group, resource, "", verb), "{values:?}: {verb} {resource} {group}");
            }
            let lease = rights(find(&objects, "Role", "flagger-leader-election")?);
            ensure!(has(&lease, "coordination.k8s.io", "leases", "", "create"), "{lease:?}");
            for verb in ["get", "update"] {
                let named = has(&lease, "coordination.k8s.io", "leases", "flagger-leader-election", verb);
                ensure!(named, "{values:?}: {verb} of the Lease");
            }
            let policies = objects.iter().filter(|o| o.to_string().contains("AdmissionPolicy")).count();
            ensure!(policies == 0, "{policies} policies bind Flagger");
        }
        let nginx = [&back[..], &["rbac.providers={nginx}", "rbac.secrets=false"]].concat();
        let own =
            rights(find(&helm.render(&chart("flagger", "flagger").set(&nginx))?, "ClusterRole", "flagger")?);
        ensure!(has(&own, "networking.k8s.io", "ingresses", "", "update"), "{own:?}");
        let beyond =
            own.iter().find(|r| ["virtualservices", "secrets", "configmaps"].contains(&r.1.as_str()));
        ensure!(beyond.is_none(), "{beyond:?}");
    }
    Ok(())
}

#[test]
fn f11_the_load_tester_has_a_token_only_where_something_needs_one() -> Result<()> {
    for helm in helms()? {
        for (values, wanted) in [
            (&[][..], true),
            (&["gates.inMemory=true"][..], false),
            (&["gates.inMemory=true", "rbac.create=true"][..], true),
        ] {
            let objects = helm.render(&chart("loadtester", "flagger-loadtester").set(values))?;
            let (found, _) = deployment(&objects, "flagger-loadtester")?;
            let mounts = &found["spec"]["template"]["spec"]["automountServiceAccountToken"];
            ensure!(*mounts == wanted, "{values:?}: {mounts}");
        }
    }
    Ok(())
}
