//! PURE. Destinations named at weight 0 before a route leads to them. A proxy that is told of routes and of destinations
//! separately (Contour's Envoy) answers 503 for a moment to a route that leads to what it has not heard of yet.

use serde_json::{Value, json};

use super::{Router, route::Place};
use crate::{
    api::validated::Validated,
    manifest::{Manifest, json as get},
    snapshot::Objects,
};

/// The live route leading where it leads, with every destination of `next` named beside. None: the router's proxies need
/// no announcement, the route is not there, or it names them all.
pub fn announcing(router: &dyn Router, c: &Validated, live: &Objects, next: &Manifest) -> Option<Manifest> {
    let [rules, destinations] = router.announces()?;
    let object = live.at(&next.at())?;
    let mut spec = object["spec"].clone();
    let named: Vec<&Value> = all(&spec, rules, destinations).collect();
    let mut unheard: Vec<Value> = Vec::new();
    for to in all(&next.body["spec"], rules, destinations) {
        if !named.iter().any(|known| same(known, to)) && !unheard.iter().any(|known| same(known, to)) {
            unheard.push(to.clone());
        }
    }
    if unheard.is_empty() {
        return None;
    }
    let leads = |rule: &&mut Value| !get::list(&rule[destinations]).is_empty();
    let rule = spec[rules].as_array_mut()?.iter_mut().find(leads)?;
    let list = rule[destinations].as_array_mut()?;
    if list.iter().all(|to| to["weight"].is_null()) {
        // one with a weight makes nothing of those without
        list.iter_mut().for_each(|to| get::set(to, &["weight"], json!(1)));
    }
    for mut to in unheard {
        get::set(&mut to, &["weight"], json!(0));
        list.push(to);
    }
    Some(Place { kind: next.kind, name: &next.name, owned: next.owned }.extended(c, live, &spec))
}

fn all<'a>(spec: &'a Value, rules: &str, destinations: &'a str) -> impl Iterator<Item = &'a Value> {
    get::list(&spec[rules]).iter().flat_map(move |rule| get::list(&rule[destinations]))
}

fn same(a: &Value, b: &Value) -> bool {
    ["name", "namespace", "port"].iter().all(|key| a[key] == b[key])
}

#[cfg(test)]
#[path = "tests/announce.rs"]
mod tests;
