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

use serde_json::{Value, json};

use super::{route::Place, traits::Router};
use crate::{
    manifest::{Manifest, json as get},
    snapshot::Objects,
    spec::Validated,
};

/// The live route with its current split, and with every destination of `next` named. None: the router's proxies need
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
    Some(place(next).extended(c, live, &both))
}

/// The route with the split of `next`, and with every destination of the live one named. None as with [`announcing`].
pub(crate) fn remembering(
    router: &dyn Router,
    c: &Validated,
    live: &Objects,
    next: &Manifest,
) -> Option<Manifest> {
    let lists = router.needs_handover()?;
    let spec = &live.at(&next.at())?["spec"];
    let both = naming(next.body["spec"].clone(), spec, lists)?;
    Some(place(next).extended(c, live, &both))
}

fn place(of: &Manifest) -> Place<'_> {
    Place { kind: of.kind, name: &of.name, owned: of.owned, shape: None }
}

/// `spec` with the missing destinations of `others`, at weight 0, in the first rule that has destinations.
/// None: it has all of them, or none.
fn naming(mut spec: Value, others: &Value, [rules, destinations]: [&'static str; 2]) -> Option<Value> {
    let all = |spec: &Value| -> Vec<Value> {
        let rules = get::list(&spec[rules]).iter();
        rules.flat_map(|rule| get::list(&rule[destinations]).to_vec()).collect()
    };
    let mut known = all(&spec);
    let mut unknown = Vec::new();
    for to in all(others) {
        if !known.iter().any(|known| same(known, &to)) {
            known.push(to.clone());
            unknown.push(to);
        }
    }
    if unknown.is_empty() {
        return None;
    }
    let leads = |rule: &&mut Value| !get::list(&rule[destinations]).is_empty();
    let rule = spec[rules].as_array_mut()?.iter_mut().find(leads)?;
    let list = rule[destinations].as_array_mut()?;
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
    Some(spec)
}

fn same(a: &Value, b: &Value) -> bool {
    ["name", "namespace", "port"].iter().all(|key| a[key] == b[key])
}
