//! PURE. From one set of destinations to another without a gap. A proxy that learns of routes and of destinations
//! separately, in either order (Contour's Envoy), answers 503 for a moment to a route with a destination that it does
//! not know yet, or no longer. So new destinations are named at weight 0 before the route uses them, and old ones for a
//! while afterwards.
//!
//! ```text
//! app 1                               as it was
//! app 1,   primary 0,   canary 0      announcing
//! app 0,   primary 100, canary 0      remembering
//!          primary 100, canary 0      as it is to be
//! ```
//!
//! Others name destinations by the number of the rule (Envoy Gateway), so that a rule too has to be there before the
//! route uses it and for a while afterwards: a copy of the last rule at the end of the list gets no requests.

use serde_json::{Value, json};

use super::{
    route::Place,
    traits::{Handover, Router},
};
use crate::{
    manifest::{Manifest, json as get},
    snapshot::Objects,
    spec::Validated,
};

/// The live route with its current split, with every destination of `next` named, and with as many rules. None: the router's proxies need
/// no announcement, the route does not exist, or it names them all.
pub(crate) fn announcing(
    router: &dyn Router,
    c: &Validated,
    live: &Objects,
    next: &Manifest,
) -> Option<Manifest> {
    let lists = router.needs_handover()?;
    let spec = &live.at(&next.at())?["spec"];
    let both = naming(spec.clone(), &next.body["spec"], lists)?;
    Some(place(next).extended(c, live, &both, next))
}

/// The route with the split of `next`, with every destination of the live one named, and with as many rules. None as
/// with [`announcing`].
pub(crate) fn remembering(
    router: &dyn Router,
    c: &Validated,
    live: &Objects,
    next: &Manifest,
) -> Option<Manifest> {
    let lists = router.needs_handover()?;
    let spec = &live.at(&next.at())?["spec"];
    let both = naming(next.body["spec"].clone(), spec, lists)?;
    Some(place(next).extended(c, live, &both, next))
}

/// The live route has other numbers of rules than `next`, or had before rules without requests were added to it.
pub(crate) fn renumbers(router: &dyn Router, live: &Objects, next: &Manifest) -> bool {
    let Some(Handover { rules, numbered: Some(requests), .. }) = router.needs_handover() else {
        return false;
    };
    let Some(live) = live.at(&next.at()) else { return false };
    let (live, next) = (get::list(&live["spec"][rules]), get::list(&next.body["spec"][rules]));
    let ends_with_copy = |rules: &[Value]| match rules {
        [.., rule, last] => *last == copy(rule, requests),
        _ => false,
    };
    live.len() != next.len() || ends_with_copy(live) && !ends_with_copy(next)
}

fn place(of: &Manifest) -> Place<'_> {
    Place { kind: of.kind, name: &of.name, owned: of.owned, shape: None }
}

/// `spec` with what it lacks of `others`. None: it lacks nothing.
fn naming(mut spec: Value, others: &Value, lists: Handover) -> Option<Value> {
    let named = name_destinations(&mut spec, others, lists);
    let lengthened =
        lists.numbered.is_some_and(|requests| lengthen(&mut spec, others, lists.rules, requests));
    (named || lengthened).then_some(spec)
}

/// Adds the missing destinations of `others`, at weight 0, to the first rule that has destinations. False: it has all of
/// them, or none.
fn name_destinations(spec: &mut Value, others: &Value, lists: Handover) -> bool {
    let Handover { rules, destinations, .. } = lists;
    let all = |spec: &Value| -> Vec<Value> {
        let rules = get::list(&spec[rules]).iter();
        rules.flat_map(|rule| get::list(&rule[destinations]).to_vec()).collect()
    };
    let mut known = all(spec);
    let mut unknown = Vec::new();
    for to in all(others) {
        if !known.iter().any(|known| same(known, &to)) {
            known.push(to.clone());
            unknown.push(to);
        }
    }
    let leads = |rule: &&mut Value| !get::list(&rule[destinations]).is_empty();
    let rule = spec[rules].as_array_mut().and_then(|rules| rules.iter_mut().find(leads));
    let Some(list) = rule.and_then(|rule| rule[destinations].as_array_mut()) else { return false };
    if unknown.is_empty() {
        return false;
    }
    if list.iter().all(|to| to["weight"].is_null()) {
        // one with a weight would disable those without
        for to in list.iter_mut() {
            get::set(to, &["weight"], json!(1));
        }
    }
    for mut to in unknown {
        get::set(&mut to, &["weight"], json!(0));
        list.push(to);
    }
    true
}

/// Adds rules until there are as many as in `others`: copies of the last one, for one of its `requests`, which it takes
/// itself. False: there are enough, or none.
fn lengthen(spec: &mut Value, others: &Value, rules: &str, requests: &str) -> bool {
    let wanted = get::list(&others[rules]).len();
    let Some(all) = spec[rules].as_array_mut().filter(|all| all.len() < wanted) else { return false };
    let Some(unused) = all.last().map(|rule| copy(rule, requests)) else { return false };
    all.resize(wanted, unused);
    true
}

/// A rule that gets no requests after `rule`. Names are unique.
fn copy(rule: &Value, requests: &str) -> Value {
    let mut copy = rule.clone();
    if let Some(members) = copy.as_object_mut() {
        members.remove("name");
    }
    if let Some(requests) = copy.get_mut(requests).and_then(Value::as_array_mut) {
        requests.truncate(1);
    }
    copy
}

fn same(a: &Value, b: &Value) -> bool {
    ["name", "namespace", "port"].iter().all(|key| a[key] == b[key])
}
