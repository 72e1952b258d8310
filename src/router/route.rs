//! PURE. Common code for the routing objects of all routers: marks, taking over, giving back, and the split of a list
//! of weights. Knows no kind and no specific field.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{split::Split, takeover::Shape, traits::RouterError};
use crate::{
    manifest::{Manifest, adopted, annotation, given, json as get, made_for, revision},
    names::{self, managers},
    snapshot::{Kind, ObjectRef, Objects},
    spec::Validated,
};

/// The spec of a route that leads to the apex, as the Canary asks for it beside these objects.
pub(super) type Plain<'a> = &'a dyn Fn(&Objects) -> Value;

/// A routing object and which of its fields are ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) kind: Kind,
    pub(super) name: &'a str,
    pub(super) owned: &'static [&'static str],
    /// How its rules are taken over; none if no rule of theirs is in a field of ours.
    pub(super) shape: Option<&'static Shape>,
}

impl Place<'_> {
    pub(super) fn at(&self) -> ObjectRef {
        ObjectRef::new(self.kind, self.name)
    }

    /// The object with this spec. Somebody else's is taken over: its metadata stays, and the fields that we own are
    /// recorded, with what the Canary asks for in `plain`.
    pub(super) fn manifest(&self, c: &Validated, live: &Objects, spec: &Value, plain: Plain<'_>) -> Manifest {
        let metadata = match live.at(&self.at()).filter(|object| !known(object, &c.name)) {
            Some(theirs) => {
                let noted = annotation(theirs, names::ANNOTATION_ORIGINAL).map(str::to_owned);
                taken_over(&noted.unwrap_or_else(|| self.record(c, theirs, plain)))
            }
            None => marks(c, live.at(&self.at())),
        };
        let mut spec = spec.clone();
        if let (Some(shape), Some(theirs)) = (self.shape, self.theirs(c, live)) {
            shape.keep(c, &theirs, &mut spec);
        }
        self.with(&json!({"metadata": self.placed(c, metadata), "spec": spec}))
    }

    /// The fields of somebody else's spec that we own: their current values, or those from before the takeover.
    pub(super) fn theirs(&self, c: &Validated, live: &Objects) -> Option<Value> {
        let object = live.at(&self.at()).filter(|object| !known(object, &c.name))?;
        if annotation(object, names::ANNOTATION_ORIGINAL).is_none() {
            return Some(object["spec"].clone());
        }
        let mut all = json!({});
        self.put_back(&noted(object).unwrap_or_default(), &mut all);
        Some(all["spec"].clone())
    }

    /// Sets our fields to their recorded values. The record is ignored for all other fields.
    fn put_back(&self, noted: &Value, body: &mut Value) {
        put(self.owned.iter(), &|field| noted["fields"].get(field).cloned(), body);
    }

    /// With the namespace of the Canary, if the object has none.
    fn placed(&self, c: &Validated, mut metadata: Value) -> Value {
        if self.kind.cluster_wide() {
            get::set(&mut metadata, &["annotations", names::ANNOTATION_NAMESPACE], json!(c.namespace));
        }
        metadata
    }

    /// The object with this spec, regardless of its owner: somebody else's is taken over, as `next` does it; ours keeps
    /// its marks.
    pub(super) fn extended(&self, c: &Validated, live: &Objects, spec: &Value, next: &Manifest) -> Manifest {
        let theirs = live.at(&self.at()).filter(|object| !known(object, &c.name));
        let noted = |object| annotation(object, names::ANNOTATION_ORIGINAL);
        let noted = theirs.and_then(|object| noted(object).or_else(|| noted(&next.body)));
        let metadata = noted.map_or_else(|| json!({}), taken_over);
        self.with(&json!({"metadata": metadata, "spec": spec}))
    }

    /// Gives the object back: as it was, if it was taken over, except for what the Canary asks for in another way since;
    /// with the spec `plain` and without our marks, if it was created. None: it does not exist, or belongs to its owner
    /// alone.
    pub(super) fn given_back(&self, c: &Validated, live: &Objects, plain: Plain<'_>) -> Option<Manifest> {
        let object = live.at(&self.at())?;
        if adopted(object) && !made_for(object, &c.name) {
            let Some(noted) = noted(object) else {
                // the record of its original is lost; users must not be
                let marks = unmarked();
                return Some(self.with(&json!({"metadata": {"annotations": marks}, "spec": plain(live)})));
            };
            let theirs = self.theirs(c, live).unwrap_or_default();
            let mut kept = plain(live);
            if let Some(shape) = self.shape {
                shape.keep(c, &theirs, &mut kept);
            }
            // it had no owner, but Flagger made it: the sides are about to be deleted
            let to_sides = self.shape.is_some_and(|shape| shape.leads_to_sides(c, &theirs));
            let moved = |field: &str| to_sides || self.has_moved(c, &noted, field, plain);
            return Some(self.original(&noted, &kept, &moved));
        }
        if !made_for(object, &c.name) {
            return None;
        }
        let given = c.service.apex.clone().unwrap_or_default().annotations;
        let mut annotations = unmarked();
        for (key, _) in names::FLUX_MARKERS {
            annotations.insert(key.into(), given.get(key).map_or(Value::Null, |v| json!(v)));
        }
        let metadata = json!({"annotations": annotations, "labels": {names::LABEL_CANARY: null}});
        Some(self.with(&json!({"metadata": metadata, "spec": plain(live)})))
    }

    fn with(&self, rest: &Value) -> Manifest {
        Manifest::new(self.kind, self.name, managers::ROUTE, self.owned, rest.clone())
    }

    /// Our fields of somebody else's object, with digests of what the Canary asks for at the takeover: the owner may
    /// change that together with what else belongs to it, and giving back must not undo it.
    fn record(&self, c: &Validated, live: &Value, plain: Plain<'_>) -> String {
        let fields = self.owned.iter().filter_map(|field| Some((*field, live.pointer(field)?)));
        let markers = names::FLUX_MARKERS.iter().filter_map(|(key, _)| Some((*key, annotation(live, key)?)));
        let asked = self.owned.iter().map(|field| (*field, self.asked(c, field, plain)));
        json!({
            "canary": c.name,
            "fields": fields.collect::<BTreeMap<_, _>>(),
            "asked": asked.collect::<BTreeMap<_, _>>(),
            "annotations": markers.collect::<BTreeMap<_, _>>(),
        })
        .to_string()
    }

    /// Digest of what the Canary alone asks for in this field.
    fn asked(&self, c: &Validated, field: &str, plain: Plain<'_>) -> String {
        let body = json!({"spec": plain(&Objects::default())});
        let value = body.pointer(field).unwrap_or(&Value::Null);
        // rules that name no port lead to the Canary's
        let leads = self.shape.is_some_and(|shape| field.strip_prefix("/spec") == Some(shape.rules));
        if leads { revision::hash(&json!([value, c.service.port])) } else { revision::hash(value) }
    }

    /// The Canary asks for something else in this field than at the takeover. A record of an earlier version does not say
    /// what that was: it counts unless users could not be reached by what it names.
    fn has_moved(&self, c: &Validated, noted: &Value, field: &str, plain: Plain<'_>) -> bool {
        if !field.starts_with("/spec") {
            return false;
        }
        if noted["asked"].is_object() {
            return noted["asked"][field] != self.asked(c, field, plain);
        }
        let led = |shape: &&Shape| !shape.rules.is_empty() && field["/spec".len()..].starts_with(shape.rules);
        if let Some(shape) = self.shape.filter(led) {
            let mut was = json!({});
            self.put_back(noted, &mut was);
            return shape.led_to(&was["spec"]).iter().any(|to| leads_to_another_port(c, to));
        }
        let was = get::list(&noted["fields"][field]);
        let body = json!({"spec": plain(&Objects::default())});
        let now = get::list(body.pointer(field).unwrap_or(&Value::Null));
        let named = |entry: &Value| entry.get("name").unwrap_or(entry).clone();
        AUDIENCE.contains(&field) && was.iter().any(|entry| now.iter().all(|now| named(now) != named(entry)))
    }

    /// The object without our marks, and with its recorded fields; those that have moved are as in `kept`.
    fn original(&self, noted: &Value, kept: &Value, moved: &dyn Fn(&str) -> bool) -> Manifest {
        let mut annotations = unmarked();
        for (key, _) in names::FLUX_MARKERS {
            annotations.insert(key.into(), text_or_null(&noted["annotations"][key]));
        }
        let mut rest = json!({"metadata": {"annotations": annotations}});
        // parts of one field belong together
        let part = |field: &str| field.rsplit_once('/').map(|(whole, _)| whole.to_owned());
        let parts =
            |one: &str, other: &str| part(one) == part(other) && part(one).as_deref() != Some("/spec");
        let with = |field: &str| self.owned.iter().any(|other| parts(field, other) && moved(other));
        let moved: Vec<&str> =
            self.owned.iter().copied().filter(|field| moved(field) || with(field)).collect();
        let fields = self.owned.iter().filter(|field| !moved.contains(*field));
        put(fields, &|field| noted["fields"].get(field).cloned(), &mut rest);
        let kept = json!({"spec": kept});
        put(moved.iter(), &|field| kept.pointer(field).cloned(), &mut rest);
        self.with(&rest)
    }
}

/// Fields that say whose requests a route gets, and where.
const AUDIENCE: [&str; 4] = ["/spec/hosts", "/spec/hostnames", "/spec/gateways", "/spec/parentRefs"];

/// The destination names a port that is no longer the Canary's.
fn leads_to_another_port(c: &Validated, to: &Value) -> bool {
    let to = if to["destination"].is_object() { &to["destination"] } else { to };
    let port = if to["kube"].is_object() { &to["kube"]["port"] } else { &to["port"] };
    let number = port.as_i64().or_else(|| port["number"].as_i64());
    number.is_some_and(|number| number != i64::from(c.service.port))
}

/// Sets these fields to their values, if they have any.
fn put<'f>(
    fields: impl Iterator<Item = &'f &'f str>,
    value: &dyn Fn(&str) -> Option<Value>,
    body: &mut Value,
) {
    for field in fields {
        if let Some(value) = value(field) {
            let path: Vec<&str> = field.split('/').skip(1).collect();
            get::set(body, &path, value);
        }
    }
}

/// Metadata of an object that is taken over, with this record.
fn taken_over(original: &str) -> Value {
    let mut annotations = flux_markers();
    annotations.insert(names::ANNOTATION_ORIGINAL.into(), json!(original));
    json!({"annotations": annotations})
}

/// The recorded original, if it can be read.
fn noted(object: &Value) -> Option<Value> {
    let noted: Value = serde_json::from_str(annotation(object, names::ANNOTATION_ORIGINAL)?).ok()?;
    noted["fields"].is_object().then_some(noted)
}

/// Made by Serin or Flagger, for this Canary or for one that left it running.
fn known(object: &Value, canary: &str) -> bool {
    made_for(object, canary) || get::label(object, names::LABEL_CANARY).is_some()
}

/// Metadata of a created routing object: the apex's, with our marks.
fn marks(c: &Validated, live: Option<&Value>) -> Value {
    let custom = c.service.apex.clone().unwrap_or_default();
    let mut labels: Map<String, Value> = custom.labels.into_iter().map(|(k, v)| (k, json!(v))).collect();
    let mut annotations: Map<String, Value> =
        custom.annotations.into_iter().map(|(k, v)| (k, json!(v))).collect();
    given::add_note(&labels, &mut annotations);
    labels.insert(names::LABEL_CANARY.into(), json!(names::label_value(&c.name)));
    annotations.extend(flux_markers());
    let mut metadata = json!({"labels": labels, "annotations": annotations});
    given::follow(&mut metadata, live, |_, _| false);
    metadata
}

/// An annotation is a text, or missing.
fn text_or_null(value: &Value) -> Value {
    value.as_str().map_or(Value::Null, |text| json!(text))
}

pub(super) fn flux_markers() -> Map<String, Value> {
    names::FLUX_MARKERS.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect()
}

pub(super) fn unmarked() -> Map<String, Value> {
    [
        names::ANNOTATION_ORIGINAL,
        names::ANNOTATION_NAMESPACE,
        names::ANNOTATION_COPIED,
        names::ANNOTATION_EPOCH,
        names::ANNOTATION_WRITTEN,
    ]
    .map(|key| (key.to_owned(), Value::Null))
    .into_iter()
    .collect()
}

/// The side of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Primary,
    Canary,
}

/// The side of a Service with this name, if it is one.
pub(super) fn side(c: &Validated, service: &str) -> Option<Side> {
    if service == c.names.canary_service {
        Some(Side::Canary)
    } else if service == c.names.primary_service {
        Some(Side::Primary)
    } else {
        None
    }
}

/// Where a Service with this name points, unless it is the apex or one of the sides.
pub(super) fn ours(c: &Validated, service: &str) -> Option<String> {
    (service != c.names.apex && side(c, service).is_none()).then(|| service.to_owned())
}

/// The port of a Service, unless it is the Canary's, or missing.
pub(super) fn port(c: &Validated, service: &str, port: &Value) -> Option<String> {
    let named = c.port_name();
    let text = port.as_str().is_some_and(|text| text == named || text.parse() == Ok(c.service.port));
    let same = port.is_null() || *port == c.service.port || text;
    (!same).then(|| format!("port {port} of {service}"))
}

/// The highest weight that is told from higher ones.
pub(super) const MOST: i64 = 1_000_000_000_000;

/// Destinations of one rule with their weights.
pub(super) type Shares = Vec<(Option<Side>, i64)>;

/// The canary's percentage in one rule, if either side is in it at all. A small share never counts as none: less than 1
/// % is 1. A single destination gets everything.
fn percent(shares: &Shares) -> Option<i32> {
    let sum = |which: Side| {
        let of = shares.iter().filter(|(side, _)| *side == Some(which));
        of.map(|(_, weight)| if shares.len() == 1 { 100 } else { (*weight).clamp(0, MOST) }).sum::<i64>()
    };
    let (primary, canary) = (sum(Side::Primary), sum(Side::Canary));
    if primary + canary == 0 {
        return None;
    }
    let percent = canary * 100 / (primary + canary);
    Some(if canary > 0 { percent.max(1) as i32 } else { 0 })
}

/// The split of a routing object's rules. If several rules split traffic, the one with the highest share for
/// the canary counts; single destinations beside them are for requests with a cookie, or requests that do not match.
pub(super) fn split(
    c: &Validated,
    object: ObjectRef,
    rules: &[Shares],
    mirrored: bool,
) -> Result<Split, RouterError> {
    let both = rules.iter().filter(|rule| rule.len() > 1).filter_map(percent).max();
    let canary = both.or_else(|| rules.iter().filter_map(percent).max()).ok_or_else(|| {
        let (primary, canary) = (&c.names.primary_service, &c.names.canary_service);
        let why =
            format!("{}.{} does not contain routes for {primary} and {canary}", object.name, c.namespace);
        RouterError::Unreadable { object, why }
    })?;
    let named = rules.last().and_then(percent) == Some(0);
    let everyone = canary > 0 && !c.analysis.match_.is_empty() && !named;
    Ok(Split::to_canary(canary).mirroring(mirrored).for_everyone(everyone))
}

/// Each of `conditions` combined with each of `service.match`, both in the Canary's form.
pub(super) fn narrowed(c: &Validated, conditions: &[Value]) -> Vec<Value> {
    if c.service.match_.is_empty() {
        return conditions.to_vec();
    }
    let mut all = Vec::new();
    for condition in conditions {
        for general in &c.service.match_ {
            let mut both = general.clone();
            for field in ["headers", "queryParams", "sourceLabels"] {
                for (key, value) in condition[field].as_object().into_iter().flatten() {
                    get::set(&mut both, &[field, key], value.clone());
                }
            }
            all.push(both);
        }
    }
    all
}

/// The first host of a route that a Canary omits, as an instruction. A route without hosts is no stand-in for one with:
/// where both are, proxies prefer the one that names the host.
pub(super) fn unnamed_host(theirs: &Value, ours: &[String]) -> Option<String> {
    let all = ours.iter().any(|host| host == "*");
    let mut hosts = get::list(theirs).iter().filter_map(Value::as_str);
    let lost = hosts.find(|host| !all && !ours.iter().any(|ours| ours == host))?;
    Some(format!("add its host {lost} to spec.service.hosts"))
}

/// The members with a value: no `null`, no empty text, list or object.
pub(super) fn given<const N: usize>(members: [(&str, Value); N]) -> Value {
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    let said = members.into_iter().filter(|(_, value)| !empty(value));
    Value::Object(said.map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Names the parts of a Canary's strategy that a router cannot do, each field with `why`.
pub(super) fn cannot(c: &Validated, fields: &[&str], why: &str) -> Vec<String> {
    let analysis = &c.analysis;
    let asked = |field: &str| match field {
        "match" => !analysis.match_.is_empty(),
        "always" => !analysis.always.is_empty(),
        "never" => !analysis.never.is_empty(),
        "mirror" => analysis.mirror == Some(true),
        "mirrorWeight" => analysis.mirror == Some(true) && analysis.mirror_weight.is_some_and(|w| w > 0),
        "sessionAffinity" => analysis.session_affinity.is_some(),
        "stepWeightPromotion" => analysis.step_weight_promotion.is_some_and(|w| w > 0),
        "stepWeight" => analysis.step_weight.is_some_and(|w| w > 0),
        "stepWeights" => !analysis.step_weights.is_empty(),
        "steps" => !analysis.steps.is_empty(),
        _ => false,
    };
    fields.iter().filter(|f| asked(f)).map(|f| format!("spec.analysis.{f}: {why}")).collect()
}
