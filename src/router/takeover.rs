//! PURE. A routing object of somebody else is taken over without loss: everything that the Canary does not mention
//! stays in the rules that replace theirs, or the takeover is refused with a list of what would be lost. Nor does it serve
//! more requests than before. Knows no kind: a router describes the place of its rules in a [`Shape`].

use serde_json::{Map, Value};

use crate::{manifest::json as get, spec::Validated};

/// Where a routing object has its rules, and the destinations in each of them.
#[derive(Debug)]
pub(super) struct Shape {
    /// Pointer in the spec to the list of rules, or to the only one.
    pub(super) rules: &'static str,
    /// Pointer in a rule of ours to its destinations.
    pub(super) destinations: &'static str,
    /// The destinations of any rule.
    pub(super) all: fn(&Value) -> Vec<Value>,
    /// Members of a rule that define its requests and destinations. None: all other members of the rule are
    /// left alone anyway.
    pub(super) leading: Option<&'static [&'static str]>,
    /// Members of a destination that define its place and weight.
    pub(super) destination: &'static [&'static str],
    /// Where a destination points, in words, if not to the Canary's own Services and port.
    pub(super) elsewhere: fn(&Validated, &Value) -> Option<String>,
    /// The requests of a rule: none means all.
    pub(super) requests: fn(&Value) -> Vec<Request>,
}

/// Requests that a rule matches.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Request {
    /// How the path is compared (`prefix`, `exact` or another way), and its value.
    pub(super) path: Option<(&'static str, String)>,
    /// All other conditions.
    pub(super) rest: Map<String, Value>,
}

/// Must be unique among rules.
const NAME: &str = "name";

impl Request {
    /// The conditions of `entry`, with the given names of the ways to compare a path.
    pub(super) fn of(entry: &Value, path: &Value, ways: &[(&str, &'static str)]) -> Self {
        let path = ways.iter().find_map(|(key, way)| Some((*way, path[*key].as_str()?.to_owned())));
        Self { path, rest: entry.as_object().cloned().unwrap_or_default() }
    }

    /// Without these members.
    pub(super) fn without(mut self, members: &[&str]) -> Self {
        self.rest.retain(|key, value| !members.contains(&key.as_str()) && !empty(value));
        self
    }

    /// Every request that matches `other` matches this.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let path = match (&self.path, &other.path) {
            (None, _) => true,
            (Some(("prefix", at)), _) if at == "/" => true,
            (Some(("regex", all)), _) if ["/.*", ".*"].contains(&all.as_str()) => true,
            // whole segments: proxies differ in whether /a is a prefix of /ab
            (Some(("prefix", at)), Some(("prefix" | "exact", below))) => {
                let rest = below.strip_prefix(at.as_str());
                rest.is_some_and(|rest| rest.is_empty() || at.ends_with('/') || rest.starts_with('/'))
            }
            (ours, theirs) => ours == theirs,
        };
        path && self.rest.iter().all(|(key, value)| other.rest.get(key) == Some(value))
    }

    /// For people.
    pub(super) fn said(&self) -> String {
        let path = self.path.iter().map(|(_, path)| path.clone());
        let rest = self.rest.iter().map(|(key, value)| format!("{key} {value}"));
        let all: Vec<String> = path.chain(rest).collect();
        if all.is_empty() { "all requests".into() } else { all.join(", ") }
    }
}

impl Shape {
    /// What the users of their spec would lose if it became ours, in words.
    pub(super) fn lost(&self, c: &Validated, theirs: &Value, ours: &Value) -> Option<String> {
        let (theirs, ours) = (self.rules(theirs), self.rules(ours));
        let elsewhere = theirs.iter().find_map(|rule| self.elsewhere(c, rule));
        elsewhere.or_else(|| differing(&theirs, &ours, self)).or_else(|| self.uncovered(&theirs, &ours))
    }

    /// Names of their rules.
    pub(super) fn names<'v>(&self, theirs: &'v Value) -> Vec<&'v str> {
        self.rules(theirs).into_iter().filter_map(|rule| rule[NAME].as_str()).collect()
    }

    /// Our spec with the fields of their rules that ours do not set.
    pub(super) fn keep(&self, c: &Validated, theirs: &Value, ours: &mut Value) {
        let rules = self.rules(theirs);
        // after an edit of the port none of them has it
        let leads = |rule: &&&Value| !(self.all)(rule).is_empty();
        let here = rules.iter().find(|rule| !self.here(c, rule).is_empty());
        let Some(rule) = here.or_else(|| rules.iter().find(leads)) else { return };
        let mut members = self.members(rule);
        let name = members.remove(NAME);
        let here = self.here(c, rule).into_iter().next();
        let beside = here.or_else(|| (self.all)(rule).into_iter().next());
        let beside = beside.map(|to| without(&to, self.destination));
        let ours = match ours.pointer_mut(self.rules) {
            Some(Value::Array(rules)) => rules.as_mut_slice(),
            Some(rule @ Value::Object(_)) => std::slice::from_mut(rule),
            _ => return,
        };
        let last = ours.len().saturating_sub(1);
        for (index, rule) in ours.iter_mut().enumerate() {
            fill(rule, &Value::Object(members.clone()));
            if let (true, Some(name)) = (index == last, &name) {
                get::set(rule, &[NAME], name.clone());
            }
            let Some(Value::Array(leads)) = rule.pointer_mut(self.destinations) else { continue };
            for destination in leads {
                fill(destination, &Value::Object(beside.clone().unwrap_or_default()));
            }
        }
    }

    /// Some rule has one of the sides as destination.
    pub(super) fn leads_to_sides(&self, c: &Validated, spec: &Value) -> bool {
        let sides = [&c.names.primary_service, &c.names.canary_service];
        let named = |to: &Value| sides.iter().any(|side| to.to_string().contains(side.as_str()));
        self.rules(spec).iter().any(|rule| (self.all)(rule).iter().any(named))
    }

    fn rules<'v>(&self, spec: &'v Value) -> Vec<&'v Value> {
        match spec.pointer(self.rules) {
            Some(Value::Array(rules)) => rules.iter().collect(),
            Some(rule @ Value::Object(_)) => vec![rule],
            _ => vec![],
        }
    }

    /// Destinations of all rules.
    pub(super) fn led_to(&self, spec: &Value) -> Vec<Value> {
        self.rules(spec).into_iter().flat_map(self.all).collect()
    }

    fn members(&self, rule: &Value) -> Map<String, Value> {
        self.leading.map_or_else(Map::new, |leading| without(rule, leading))
    }

    /// Destinations of a rule that are the Canary's own Services.
    fn here(&self, c: &Validated, rule: &Value) -> Vec<Value> {
        (self.all)(rule).into_iter().filter(|to| (self.elsewhere)(c, to).is_none()).collect()
    }

    fn elsewhere(&self, c: &Validated, rule: &Value) -> Option<String> {
        let requests = (self.requests)(rule);
        let requests = requests.first().cloned().unwrap_or_default().said();
        let all = (self.all)(rule);
        if all.is_empty() {
            return Some(format!("it has a rule of its own for {requests}"));
        }
        let nobody = |to: &Value| to["weight"] == 0 || to["weight"] == "0";
        let other = all.iter().filter(|to| !nobody(to)).find_map(|to| (self.elsewhere)(c, to))?;
        Some(format!("it leads {requests} to {other}"))
    }

    /// What their spec does not serve and ours would: nobody gets these requests so far, or somebody else does. Without
    /// rules theirs leaves all requests to the Service.
    pub(super) fn widened(&self, theirs: &Value, ours: &Value) -> Option<String> {
        let theirs = self.served(&self.rules(theirs));
        let ours = self.served(&self.rules(ours));
        let more = ours.iter().find(|ours| !theirs.iter().any(|theirs| theirs.covers(ours)))?;
        let only: Vec<String> = theirs.iter().map(Request::said).collect();
        let only = Some(only.join(" and ")).filter(|only| !only.is_empty())?;
        Some(format!("it serves {only} only, and the Canary would serve {}", more.said()))
    }

    fn served(&self, rules: &[&Value]) -> Vec<Request> {
        let of = |rule: &&Value| {
            let requests = (self.requests)(rule);
            if requests.is_empty() { vec![Request::default()] } else { requests }
        };
        rules.iter().flat_map(of).collect()
    }

    fn uncovered(&self, theirs: &[&Value], ours: &[&Value]) -> Option<String> {
        let ours = self.served(ours);
        let mut theirs = self.served(theirs).into_iter();
        let lost = theirs.find(|theirs| !ours.iter().any(|ours| ours.covers(theirs)))?;
        Some(format!("it serves {}, which spec.service.match leaves out", lost.said()))
    }
}

/// A member of their rules that ours do not set, or that is filled in from theirs, and that differs between theirs.
fn differing(theirs: &[&Value], ours: &[&Value], shape: &Shape) -> Option<String> {
    let one = |value: &Value| !value.is_object() && !value.is_array();
    let said = |key: &String| ours.iter().any(|rule| rule.get(key).is_some_and(one));
    let all: Vec<Map<String, Value>> = theirs.iter().map(|rule| shape.members(rule)).collect();
    let keys = all.iter().flat_map(Map::keys).filter(|key| *key != NAME && !said(key));
    let mut differ = keys.filter(|key| all.iter().any(|members| members.get(*key) != all[0].get(*key)));
    if let Some(key) = differ.next() {
        return Some(format!("its rules differ in {key}, which the Canary says for all of them or for none"));
    }
    let to: Vec<Map<String, Value>> =
        theirs.iter().flat_map(|rule| (shape.all)(rule)).map(|to| without(&to, shape.destination)).collect();
    let first = to.first()?;
    let other = to.iter().find(|other| *other != first)?;
    let key = other.keys().chain(first.keys()).find(|key| other.get(*key) != first.get(*key))?;
    Some(format!("its destinations differ in {key}"))
}

fn empty(value: &Value) -> bool {
    value.is_null()
        || value.as_object().is_some_and(Map::is_empty)
        || value.as_array().is_some_and(Vec::is_empty)
}

fn without(value: &Value, members: &[&str]) -> Map<String, Value> {
    let all = value.as_object().cloned().unwrap_or_default();
    all.into_iter().filter(|(key, value)| !members.contains(&key.as_str()) && !empty(value)).collect()
}

/// Adds fields to `into` that only `from` has. Entries of a list are identified by type and name, references by all of
/// them, and names of headers to remove by themselves.
fn fill(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.get_mut(key).filter(|there| !there.is_null()) {
                    Some(there) if key == "remove" => unite(there, value),
                    // another way to do the same
                    Some(there) if there["type"].is_string() && there["type"] != value["type"] => {}
                    Some(there) => fill(there, value),
                    None => {
                        into.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(into), Value::Array(from)) => {
            let known = |value: &Value| value["type"].is_string() || value["name"].is_string();
            let several = |value: &Value| value["type"] == "RequestMirror" || value["type"] == "ExtensionRef";
            let same = |a: &Value, b: &Value| {
                a == b || a["type"] == b["type"] && a["name"] == b["name"] && !several(a)
            };
            for value in from.iter().filter(|value| known(value)) {
                match into.iter_mut().find(|there| same(there, value)) {
                    Some(there) => fill(there, value),
                    None => into.push(value.clone()),
                }
            }
        }
        _ => {}
    }
}

/// Adds entries that only `from` has.
fn unite(into: &mut Value, from: &Value) {
    let (Value::Array(into), Value::Array(from)) = (into, from) else { return };
    for value in from {
        if !into.contains(value) {
            into.push(value.clone());
        }
    }
}
