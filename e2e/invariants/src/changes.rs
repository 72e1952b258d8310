//! The invariants that a change of an object breaks, with one function per invariant.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use serin::names;

use crate::{
    Broken, edits,
    facts::{Facts, rules},
    schedule::{by_name, routed, schedule},
    seen::{By, Seen, between},
    track::Track,
    view::{Kind, replicas},
};

/// Number of writes of one object within a minute that is too high for an idle Canary.
const BUSY: usize = 10;

/// The invariants that the next change breaks.
pub fn see(seen: &Seen<'_>, track: &mut Track) -> Vec<Broken> {
    track.before(seen);
    let mut broken = all(seen, track);
    broken.retain(|(check, _)| !track.except.contains(check));
    track.after(seen);
    broken
}

fn all(seen: &Seen<'_>, track: &mut Track) -> Vec<Broken> {
    let mut broken: Vec<Broken> = Vec::new();
    let mut note = |check, found: Option<String>| broken.extend(found.map(|text| (check, text)));
    note("S12", deletion(seen, track));
    if seen.by != By::Others {
        note("S3", primary_deleted(seen, track));
    }
    if seen.by != By::Us {
        return broken;
    }
    note("S1", whole_weights(seen));
    note("S2", onto_nothing(seen, track));
    note("S3", primary_floor(seen));
    note("S4", target_emptied(seen, track));
    note("S5", unanalysed(seen, track));
    note("S7", raised_after_ending(seen, track));
    note("S9", off_schedule(seen, track));
    note("S9", not_intended(seen, track));
    note("S9", edits::beyond_what_was_analysed(seen, track));
    note("S9", edits::to_others(seen, track));
    note("S10", epoch_back(seen));
    note("S11", target_changed(seen));
    note("S15", restless(seen, track));
    note("S16", primary_too_small(seen, track));
    broken
}

/// S1: weights are between 0 and 100, add up to 100, and only go to our Services.
fn whole_weights(seen: &Seen<'_>) -> Option<String> {
    let route = seen.is(Kind::Route, &seen.names.apex)?;
    let rules = rules(route);
    if rules.is_empty() {
        return Some("the route has no rule".into());
    }
    // given back by a Canary that is being deleted, while another one already waits for the same names
    let given_back = seen.deleting() || route["metadata"]["labels"][names::LABEL_CANARY].is_null();
    rules.iter().find_map(|rule| {
        let sum: i64 = rule.iter().map(|(_, weight)| weight).sum();
        let known = |s: &str| {
            s == seen.names.primary_service
                || s == seen.names.canary_service
                || given_back && s == seen.names.apex
        };
        let right = sum == 100 && rule.iter().all(|(s, w)| (0..=100).contains(w) && known(s));
        (!right).then(|| format!("the route leads to {rule:?}"))
    })
}

/// S2: no write routes traffic to a Service without pods, unless no Service has any.
fn onto_nothing(seen: &Seen<'_>, track: &Track) -> Option<String> {
    if track.removed_together(seen) {
        return None;
    }
    let recent = |s: &str| track.lost.get(s).is_some_and(|at| between(*at, seen.at) < seen.place.reaction);
    if cut_off(seen) {
        let apex = seen.is(Kind::Service, &seen.names.apex);
        let selector = apex.map(|apex| format!(" now selects {}, and", apex["spec"]["selector"]));
        return Some(format!("the apex Service{}: no such pod is ready", selector.unwrap_or_default()));
    }
    let nowhere = seen.after.ready.values().all(|n| *n == 0);
    let (was, is) = (seen.before.to_nobody(recent), seen.after.to_nobody(recent));
    (is > was && !nowhere).then(|| {
        let empty =
            seen.after.weights.iter().flatten().filter(|(s, w)| **w > 0 && seen.after.empty.contains(*s));
        let empty: Vec<String> =
            empty.map(|(service, weight)| format!("{weight} % now go to {service}")).collect();
        format!(
            "{is} % instead of {was} % go where no pod is ready, or none is asked for: {}",
            empty.join(", ")
        )
    })
}

/// The apex Service has lost its last ready pod. On a real cluster pods come and go independently of our writes, so
/// only a write of its selector counts there.
fn cut_off(seen: &Seen<'_>) -> bool {
    let apex = seen.is(Kind::Service, &seen.names.apex);
    let turned = apex
        .is_some_and(|apex| seen.old.is_some_and(|old| old["spec"]["selector"] != apex["spec"]["selector"]));
    let now = seen.after.apex == Some(0);
    if seen.place.model { now && seen.before.apex != Some(0) } else { now && turned }
}

/// S3: the primary is never scaled below one pod.
fn primary_floor(seen: &Seen<'_>) -> Option<String> {
    let primary = seen.is(Kind::Deployment, &seen.names.primary)?;
    let were = seen.old.map_or(1, replicas);
    (replicas(primary) < 1 && were >= 1).then(|| "the primary is asked for no pods".into())
}

/// S16: no write takes pods from the primary that it needs for its traffic. Any release may move all the traffic back
/// at once, so it needs enough pods to serve all users. Only with shares of pods does it have fewer during a run.
fn primary_too_small(seen: &Seen<'_>, track: &Track) -> Option<String> {
    let shared = seen.after.weights.is_none() && !seen.canary["spec"]["analysis"]["steps"].is_null();
    let primary = seen.is(Kind::Deployment, &seen.names.primary)?;
    let (was, is) = (replicas(seen.old?), replicas(primary));
    let needs = track.whole.unwrap_or(was);
    let status = &seen.canary["status"];
    let undone = status["run"]["ending"]["kind"] == "UndoingPromotion" && status["primaryReplicas"] == is;
    // as many as were wished, or as the target has by now, if that is more, but not while the former version serves
    let wished = track.wished.is_some_and(|wished| is == wished || is > wished && is == track.asked);
    let wanted = wished && status["phase"] != "Promoting" || undone || shared || seen.deleting();
    // none at all is S3
    (is > 0 && is < was && is < needs && !wanted).then(|| {
        format!("the primary is scaled from {was} to {is}, and needs {needs} pods to serve everyone")
    })
}

/// S3: the primary is not deleted while traffic is routed to it. The author of a deletion is not always known. During
/// the Canary's own deletion it is the operator.
fn primary_deleted(seen: &Seen<'_>, track: &Track) -> Option<String> {
    let primary = seen.kind == Kind::Deployment && seen.name == seen.names.primary;
    let gone = seen.new.is_none() && (seen.by == By::Us || seen.deleting());
    let weight = match &seen.before.weights {
        Some(_) => seen.before.weight(&seen.names.primary_service),
        None => {
            if seen.before.apex_on_primary {
                100
            } else {
                0
            }
        }
    };
    (primary && gone && weight > 0 && !track.removed_together(seen))
        .then(|| format!("the primary is deleted while {weight} % go there"))
}

/// S4: the target is scaled to 0 only after its Service has had no traffic for the settle time, and the apex does not
/// select it.
fn target_emptied(seen: &Seen<'_>, track: &Track) -> Option<String> {
    let target = seen.is(Kind::Deployment, &seen.names.target)?;
    if replicas(target) > 0 || replicas(seen.old?) == 0 {
        return None;
    }
    if seen.after.apex_on_target {
        return Some("the target is scaled to 0 while the apex Service selects it".into());
    }
    let never = (!routed(seen.canary)).then_some(Timestamp::MIN);
    let Some(zero) = track.zero_since.or(never) else {
        return Some(format!("the target is scaled to 0 at weight {}", seen.weights().1));
    };
    let since = track.apex_since.map_or(zero, |apex| apex.max(zero));
    let held = between(since, seen.at);
    (held < seen.settle()).then(|| format!("the target is scaled to 0 only {held:?} after its last traffic"))
}

/// S5: the primary's template equals the first one, the promoted one, or one that passed.
fn unanalysed(seen: &Seen<'_>, track: &Track) -> Option<String> {
    let primary = seen.is(Kind::Deployment, &seen.names.primary)?;
    let template = &primary["spec"]["template"];
    if seen.old.is_some_and(|old| old["spec"]["template"] == *template) {
        return None;
    }
    let hash = primary["metadata"]["annotations"][names::ANNOTATION_REVISION].as_str().unwrap_or_default();
    let Some(source) = track.templates.get(hash) else {
        return Some(format!("the primary is given a template of unknown revision {hash:?}"));
    };
    // a primary's selector cannot be changed, so its pods keep these labels
    let selected = primary["spec"]["selector"]["matchLabels"].as_object();
    let plain = |template: &Value| {
        let mut template = template.clone();
        if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.retain(|key, _| selected.is_none_or(|s| !s.contains_key(key)));
        }
        template
    };
    if let Some(path) = differs(&plain(template), &plain(source), "") {
        return Some(format!("the primary's template is not that of revision {hash}: {path}"));
    }
    let status = seen.status();
    let promoted = status["lastPromotedSpec"].as_str();
    let skip = seen.canary["spec"]["skipAnalysis"] == true;
    let passed = skip || track.passed.contains(hash);
    let fine = promoted.is_none()
        || promoted == Some(hash)
        || matches!(seen.phase(), "Promoting" | "Finalising") && status["lastAppliedSpec"] == hash && passed;
    (!fine).then(|| {
        format!("the primary is given revision {hash} in phase {} without a complete pass", seen.phase())
    })
}

/// The difference between two templates, except for names that end with `-primary…` on the primary, and Flux's keys.
fn differs(primary: &Value, source: &Value, path: &str) -> Option<String> {
    match (primary, source) {
        (Value::Object(p), Value::Object(s)) => {
            let keys = p.keys().chain(s.keys()).filter(|k| !k.contains(names::FLUX));
            keys.into_iter().find_map(|key| differs(&primary[key], &source[key], &format!("{path}/{key}")))
        }
        (Value::Array(p), Value::Array(s)) if p.len() == s.len() => {
            p.iter().zip(s).enumerate().find_map(|(n, (p, s))| differs(p, s, &format!("{path}/{n}")))
        }
        (Value::String(p), Value::String(s)) if p.starts_with(&format!("{s}-primary")) => None,
        _ => (primary != source).then(|| format!("{path} is {primary}, not {source}")),
    }
}

/// S7: after an ending has started at an epoch, that epoch raises no weight.
fn raised_after_ending(seen: &Seen<'_>, track: &Track) -> Option<String> {
    let route = seen.is(Kind::Route, &seen.names.apex)?;
    let (before, after) = seen.weights();
    let epoch: i64 = route["metadata"]["annotations"][names::ANNOTATION_EPOCH].as_str()?.parse().ok()?;
    let late = track.ended.is_some_and(|ended| epoch <= ended);
    // a route that was lost while a promotion is undone comes back with the share of that moment
    let again = seen.old.is_none()
        && seen.status()["run"]["ending"]["kind"] == "UndoingPromotion"
        && seen.status()["step"]["weight"].as_i64() >= Some(after);
    let rescue = seen.rescue(track.found.get(&seen.names.primary_service));
    (after > before && late && !again && !rescue && !emptied_when_undone(seen, after)).then(|| {
        format!("the canary goes from {before} to {after} % at epoch {epoch}, whose run was being ended")
    })
}

/// A promotion is undone that leaves the primary without pods: nobody is there meanwhile.
fn emptied_when_undone(seen: &Seen<'_>, after: i64) -> bool {
    seen.phase() == "Promoting" && after == 100 && seen.after.replaced_at_once
}

/// S9: the weight goes up by one declared step, and down to zero or by a promotion.
fn off_schedule(seen: &Seen<'_>, track: &Track) -> Option<String> {
    seen.is(Kind::Route, &seen.names.apex)?;
    let (before, after) = seen.weights();
    if before == after
        || track.edited
        || seen.deleting()
        || seen.rescue(track.found.get(&seen.names.primary_service))
    {
        return None;
    }
    let steps = schedule(seen.canary);
    // a primary that is replaced at once has no traffic meanwhile
    let replaced = seen.phase() == "Promoting" && after == 100;
    let reached = || steps.iter().take(track.reached + 1);
    // a route that was lost while the traffic goes back to the new primary comes back with the share of that moment
    let again = seen.old.is_none() && seen.phase() == "Promoting" && reached().any(|weight| *weight > after);
    let may = replaced || again || reached().any(|weight| *weight == after);
    if after > before && !may {
        return Some(format!(
            "the canary goes from {before} to {after} %, at step {} of {steps:?}",
            track.reached
        ));
    }
    let down = after == 0 || matches!(seen.phase(), "Promoting" | "Finalising") || may;
    (after < before && !down)
        .then(|| format!("the canary goes down from {before} to {after} % in phase {}", seen.phase()))
}

/// S10: the epoch never decreases.
fn epoch_back(seen: &Seen<'_>) -> Option<String> {
    if seen.kind != Kind::Canary {
        return None;
    }
    let (before, after) =
        (seen.old?["status"]["epoch"].as_i64()?, seen.status()["epoch"].as_i64().unwrap_or(0));
    (after < before).then(|| format!("the epoch goes from {before} back to {after}"))
}

/// S11: the user owns all fields of the target except its replicas.
fn target_changed(seen: &Seen<'_>) -> Option<String> {
    let target = seen.is(Kind::Deployment, &seen.names.target)?;
    let users = |object: &Value| {
        let mut kept = object.clone();
        kept["status"] = Value::Null;
        kept["spec"]["replicas"] = Value::Null;
        for counter in ["generation", "resourceVersion", "managedFields"] {
            kept["metadata"][counter] = Value::Null;
        }
        // for a DaemonSet: fields that the API server writes, and the replacement for replicas
        let of_daemon_sets = [
            ("/metadata/annotations", "deprecated.daemonset.template.generation"),
            ("/spec/template/spec/nodeSelector", names::SCALE_TO_ZERO),
        ];
        for (at, key) in of_daemon_sets {
            if let Some(map) = kept.pointer_mut(at).and_then(Value::as_object_mut) {
                map.remove(key);
            }
        }
        if kept["spec"]["template"]["spec"]["nodeSelector"] == serde_json::json!({}) {
            kept["spec"]["template"]["spec"]["nodeSelector"] = Value::Null;
        }
        kept
    };
    let (now, then) = (users(target), users(seen.old?));
    (now != then).then(|| format!("the target was changed: {}", differs(&now, &then, "").unwrap_or_default()))
}

/// S12: from the deletion of the Canary until it is gone, users that were served stay served. If the authors are known,
/// only our own writes count.
fn deletion(seen: &Seen<'_>, track: &mut Track) -> Option<String> {
    let serves = |facts: &Facts| match &facts.weights {
        Some(weights) => weights.iter().all(|(s, weight)| *weight == 0 || facts.ready(s) > 0),
        None => facts.ready(&seen.names.apex) > 0,
    };
    if !seen.deleting() || track.removed_together(seen) {
        return None;
    }
    let now = serves(&seen.after);
    let began = if seen.place.model {
        seen.by == By::Us && serves(&seen.before)
    } else {
        *track.served.get_or_insert(now)
    };
    if began && !now {
        track.served = Some(false);
        return Some(format!(
            "while the Canary is deleted, clients meet {:?} with ready pods {:?}",
            seen.after.weights, seen.after.ready
        ));
    }
    None
}

/// S15: between runs the operator writes almost nothing.
fn restless(seen: &Seen<'_>, track: &mut Track) -> Option<String> {
    // in a model many events happen at the same time
    if seen.place.model {
        return None;
    }
    let rest = matches!(seen.phase(), "Initialized" | "Succeeded" | "Failed") && !seen.deleting();
    let phase_changed =
        seen.kind == Kind::Canary && seen.old.is_none_or(|o| o["status"]["phase"] != seen.status()["phase"]);
    if !rest || phase_changed {
        return None;
    }
    let times = track.writes.entry((seen.kind, seen.name.to_owned())).or_default();
    times.push_back(seen.at);
    while times.front().is_some_and(|t| between(*t, seen.at) > Duration::from_secs(60)) {
        times.pop_front();
    }
    (times.len() == BUSY + 1).then(|| format!("it was written {} times within a minute at rest", times.len()))
}

/// S9: a weight is in the status before it is in the route.
fn not_intended(seen: &Seen<'_>, track: &Track) -> Option<String> {
    seen.is(Kind::Route, &seen.names.apex)?;
    let (before, after) = seen.weights();
    let intent = seen.status()["step"]["weight"].as_i64().unwrap_or(0);
    (after > before && after != intent && !seen.rescue(track.found.get(&seen.names.primary_service)))
        .then(|| format!("the canary goes from {before} to {after} %, and the status says {intent}"))
}

/// S14: without an open intent, the status matches the route.
pub fn disagrees(canary: &Value, weight: Option<i64>, track: &Track) -> Option<Broken> {
    let status = &canary["status"];
    let open = status["step"].is_object() && !status["step"]["confirmed"].is_string()
        || status["run"]["ending"].is_object();
    let busy = matches!(status["phase"].as_str(), None | Some("Initializing" | "Terminating"));
    let leaving = canary["metadata"]["deletionTimestamp"].is_string() || canary["spec"]["suspend"] == true;
    // an A/B test shows no share of all requests: the step shows the share of the matched requests
    let shown = if by_name(canary) { &status["step"]["weight"] } else { &status["canaryWeight"] };
    let said = shown.as_i64().unwrap_or(0);
    let carried = weight?;
    (!open && !busy && !leaving && !track.foreign_route && carried != said)
        .then(|| ("S14", format!("the status says {said} %, the route carries {carried}")))
}
