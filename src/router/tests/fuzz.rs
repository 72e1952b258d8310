//! Routing objects of others, and what is remembered of them: whatever stands there, nothing is changed but what is ours, and
//! what is to be written can be.

use serde_json::{Value, json};

use super::{
    cases::{APEX, Case, cases, pinned},
    conformance::{canary, sources},
    forged::{others, split},
};
use crate::{
    manifest::{Manifest, Undo, adopted, fixture, fixture::merge, made_for, ours, patch, service},
    router::{Cookies, Split},
    snapshot::{DEPLOYMENT, ObjectRef, Objects, SERVICE},
    spec::Validated,
    tests::fuzz::{Input, Target, fuzz, is_short},
};

const WORDS: &[&str] = &[
    "podinfo",
    "podinfo-primary",
    "podinfo-canary",
    "spec",
    "http",
    "route",
    "routes",
    "rules",
    "match",
    "matches",
    "destination",
    "destinations",
    "host",
    "hosts",
    "weight",
    "subset",
    "port",
    "number",
    "backendRefs",
    "filters",
    "name",
    "kind",
    "services",
    "includes",
    "conditions",
    "loadBalancerPolicy",
    "metadata",
    "annotations",
    "labels",
    "serin.dev/original",
    "serin.dev/canary",
    "serin.dev/epoch",
    "serin.dev/written",
    "serin.dev/copied",
    "fields",
    "canary",
    "traffic",
    "revisionName",
    "percent",
    "latestRevision",
    "status",
    "parents",
    "Accepted",
    "True",
    "nginx.ingress.kubernetes.io/canary-weight",
    "zalando.org/backend-weights",
    "{\"podinfo-primary\": 50}",
    "zalando.org/skipper-predicate",
    "TrafficSegment(0.0, 0.5)",
    "upstream",
    "upstreams",
    "tcp",
    "tls",
    "gateways",
    "virtualhost",
    "to",
    "targetRef",
    "default",
    "-1",
    "1e3",
];

fn all_cases() -> Vec<Case> {
    cases().into_iter().chain(pinned()).collect()
}

/// As the API server hands an object on that somebody wrote: its name and kind are what they are, and labels and annotations
/// are texts.
fn stored(at: &ObjectRef, text: &str) -> Option<Value> {
    let mut object: Value = serde_json::from_str(text).ok().filter(Value::is_object)?;
    let mut metadata = json!({"name": at.name, "namespace": "test"});
    for map in ["labels", "annotations"] {
        let texts =
            object["metadata"][map].as_object().into_iter().flatten().filter(|(_, value)| value.is_string());
        metadata[map] =
            texts.map(|(key, value)| (key.clone(), value.clone())).collect::<serde_json::Map<_, _>>().into();
    }
    object["metadata"] = metadata;
    object["apiVersion"] = json!(at.kind.api_version());
    object["kind"] = json!(at.kind.kind);
    Some(object)
}

/// Every object of a run of every router, made by us and taken over, and those that they render from.
fn seeds() -> Vec<Input> {
    let mut seeds = Vec::new();
    for (number, case) in all_cases().iter().enumerate() {
        let c = canary(case, &[], &[]);
        let mut live = sources(case);
        let taken = case.router().reads(&c).into_iter().find(|at| at.name == c.names.apex);
        if let Some(at) = taken.filter(|_| !case.theirs.is_null()) {
            let spec: Value =
                serde_json::from_str(&case.theirs.to_string().replace(APEX, &c.names.apex)).unwrap();
            let theirs = json!({"apiVersion": at.kind.api_version(), "kind": at.kind.kind, "metadata": {"name": at.name}, "spec": spec});
            seeds.push(vec![number.to_string(), at.name.clone(), theirs.to_string(), "20".into()]);
            let mut live = live.clone();
            live.insert(at.kind, theirs);
            split(case, &c, &mut live).unwrap();
            seeds.extend(live.iter().map(|(at, object)| {
                vec![number.to_string(), at.name.clone(), object.to_string(), "0".into()]
            }));
        }
        split(case, &c, &mut live).unwrap();
        seeds.extend(
            live.iter().map(|(at, object)| {
                vec![number.to_string(), at.name.clone(), object.to_string(), "50".into()]
            }),
        );
    }
    seeds
}

fn merged(object: &Value, m: &Manifest) -> Value {
    let mut after = object.clone();
    if let Some(change) = patch(object, m) {
        merge(&mut after, &change);
    }
    after
}

/// What a manifest may change, it changes: all else stays, and a second write changes nothing.
fn written(live: &mut Objects, m: &Manifest) -> Result<(), String> {
    let Some(before) = live.at(&m.at()).cloned() else {
        live.insert(m.kind, m.to_create());
        return Ok(());
    };
    let after = merged(&before, m);
    if patch(&after, m).is_some() {
        return Err(format!("{} is never as it should be: {after}", m.at()));
    }
    live.insert(m.kind, after);
    Ok(())
}

/// Of somebody else's object nothing is changed but what is ours.
fn keeps_theirs(live: &Objects, c: &Validated, m: &Manifest) -> Result<(), String> {
    let Some(before) = live.at(&m.at()).filter(|object| !ours(object, &c.name)) else { return Ok(()) };
    let after = merged(before, m);
    let (rest, theirs) = (others(&after, m), others(before, m));
    if rest == theirs { Ok(()) } else { Err(format!("{}: {theirs} becomes {rest}", m.at())) }
}

fn routed(input: &[String], all: &[Case]) -> Result<String, String> {
    let number: usize = input[0].parse().unwrap_or(0);
    let case = &all[number % all.len()];
    let (router, c) = (case.router(), canary(case, &[], &[]));
    let mut live = sources(case);
    split(case, &c, &mut live).map_err(|error| error.to_string())?;
    let known: Vec<ObjectRef> = live.iter().map(|(at, _)| at.clone()).collect();
    let at = known.iter().find(|at| at.name == input[1]).or(known.first());
    let Some(object) = at.and_then(|at| stored(at, &input[2])) else { return Ok("no object".into()) };
    let at = at.cloned().unwrap_or_else(|| ObjectRef::new(DEPLOYMENT, "podinfo"));
    live.insert(at.kind, object.clone());

    let mut said = vec![format!("{:?}", router.read_back(&c, &live).map_err(|error| error.to_string()))];
    said.extend(router.not_programmed(&c, &live));
    said.extend(router.not_accepted(&c, &live).map(|why| format!("{why:?}")));
    said.extend(router.advice(&c, &live));
    said.extend(router.touches(&c, &live, &object));
    let conflict = router.takeover_conflict(&c, &object);
    said.extend(conflict.clone());
    for text in &said {
        // what users wrote is repeated in some
        is_short("a route", &text.chars().filter(|c| !c.is_control()).take(1000).collect::<String>())?;
    }
    drop((router.claims(&c, &live), router.route(&c, &live), router.leftovers(&c, &live)));
    given_back(case, &c, &live)?;
    if conflict.is_some() {
        return Ok(said.concat());
    }
    let weight = input[3].parse().unwrap_or(0).clamp(0, 100);
    let weight = if router.shifts_traffic(&c) { weight } else { 0 };
    match router.render(&c, &live, Split::to_canary(weight), &Cookies::default()) {
        Err(error) => said.push(error.to_string()),
        Ok(made) => {
            for m in router.auxiliary_objects(&c).iter().chain(&made) {
                keeps_theirs(&live, &c, m)?;
                if !router.reads(&c).contains(&m.at()) {
                    return Err(format!("{} is none of its objects", m.at()));
                }
                written(&mut live, m)?;
            }
            let back = router.read_back(&c, &live);
            // what Knative's primary is stands in a note, without which no split is believed
            let unnoted = case.provider == "knative" && back.is_err();
            if !made.is_empty() && !unnoted && back.as_ref().ok().map(|split| split.canary()) != Some(weight)
            {
                return Err(format!("{weight} is wanted, {back:?} is there"));
            }
            given_back(case, &c, &live)?;
        }
    }
    Ok(format!("{number} {}", said.concat()))
}

fn given_back(case: &Case, c: &Validated, live: &Objects) -> Result<(), String> {
    let mut after = live.clone();
    for undo in case.router().restore(c, live) {
        match undo {
            Undo::Restore(m) => {
                keeps_theirs(live, c, &m)?;
                written(&mut after, &m)?;
            }
            Undo::Delete(at)
                if case
                    .sources
                    .iter()
                    .any(|(kind, o)| *kind == at.kind && o["metadata"]["name"] == at.name.as_str()) =>
            {
                return Err(format!("{at} is deleted, which is a user's"));
            }
            Undo::Delete(_) => {}
        }
    }
    Ok(())
}

#[test]
fn fuzz_routes() {
    let target = || Target {
        seeds: seeds(),
        words: WORDS,
        longest: 24 * 1024,
        held: (2 << 20, 300),
        made: (60_000, 60),
    };
    let all = all_cases();
    fuzz("routes", target, &|input| routed(input, &all));
}

/// The apex Service of somebody else, taken over and given back.
fn served(text: &str) -> Result<String, String> {
    let c = fixture::canary(&json!({"targetPort": 9898}));
    let label = ("app".to_owned(), "podinfo".to_owned());
    let at = ObjectRef::new(SERVICE, "podinfo");
    let Some(object) = stored(&at, text) else { return Ok("no object".into()) };
    let mut live = Objects::default();
    live.insert(DEPLOYMENT, fixture::target());
    live.insert(SERVICE, object.clone());
    let conflict = service::takeover_conflict(&c, &fixture::target(), &label, &object).unwrap_or_default();
    let mut said = conflict.clone();
    match service::render(&c, &fixture::target(), &label, &live) {
        Err(why) => said.push_str(&why),
        Ok(services) if conflict.is_empty() => {
            keeps_theirs(&live, &c, &services.apex)?;
            for m in [&services.apex, &services.primary, &services.canary] {
                written(&mut live, m)?;
            }
        }
        Ok(_) => {}
    }
    for undo in service::restore(&c, &label, &live) {
        match undo {
            Undo::Restore(m) => {
                let theirs = live.at(&at).is_some_and(|object| adopted(object) && !made_for(object, &c.name));
                let (before, after) = (
                    live.at(&at).cloned().unwrap_or_default(),
                    merged(live.at(&at).unwrap_or(&Value::Null), &m),
                );
                for field in [
                    "/metadata/finalizers",
                    "/metadata/ownerReferences",
                    "/spec/externalIPs",
                    "/spec/type",
                    "/spec/clusterIP",
                ] {
                    if theirs && before.pointer(field) != after.pointer(field) {
                        return Err(format!("{field} is changed to {after}"));
                    }
                }
                written(&mut live, &m)?;
            }
            Undo::Delete(other) if other == at => return Err("a Service of somebody is deleted".into()),
            Undo::Delete(_) => {}
        }
    }
    Ok(said)
}

#[test]
fn fuzz_services() {
    let target = || {
        let original = json!({"canary": "podinfo", "selector": {"app": "podinfo"}, "ports": [{"port": 80}], "trafficDistribution": null, "annotations": {}});
        let object = |annotations: Value| {
            json!({"metadata": {"name": "podinfo", "annotations": annotations}, "spec": {
                "type": "NodePort", "clusterIP": "10.0.0.9", "selector": {"app": "podinfo", "tier": "web"}, "ports": [
                    {"name": "http", "protocol": "TCP", "port": 80, "targetPort": "http", "nodePort": 30080},
                    {"name": "old", "port": 81, "targetPort": 81}]}})
        };
        let former = json!({"selector": {"app": "podinfo"}, "ports": [{"port": 82, "protocol": "UDP"}]});
        let all = [
            json!({}),
            json!({"serin.dev/original": original.to_string()}),
            json!({"serin.dev/original": former.to_string()}),
        ];
        Target {
            seeds: all.into_iter().map(|annotations| vec![object(annotations).to_string()]).collect(),
            words: &[
                "podinfo",
                "podinfo-primary",
                "podinfo-canary",
                "ports",
                "port",
                "targetPort",
                "nodePort",
                "protocol",
                "TCP",
                "UDP",
                "selector",
                "app",
                "spec",
                "type",
                "ExternalName",
                "externalIPs",
                "serin.dev/original",
                "serin.dev/canary",
                "{\"canary\":\"podinfo\",\"ports\":[],\"selector\":null}",
                "annotations",
                "labels",
                "trafficDistribution",
                "http",
            ],
            longest: 16 * 1024,
            held: (256 << 10, 200),
            made: (10_000, 40),
        }
    };
    fuzz("services", target, &|input| served(&input[0]));
}
