//! ingress-nginx: an Ingress `<ingressRef>-canary` beside the user's own, with the controller's canary annotations.
//!
//! Owns its rules, backend, TLS and class, which follow those of the user's Ingress to the apex, changed to the
//! canary; its annotations follow too. The user's Ingress is never written. Matching requests all go to the
//! canary, or none: nginx cannot split them. The requests of `always` go there regardless of the weight.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    always_never, bystanders,
    copy::{self, Source},
    queries::{Builtin, builtin},
    route,
    split::Split,
    traits::{Cookies, Router, RouterError},
};
use crate::{
    manifest::{self, Manifest, Undo, json as get, made_for},
    names::managers,
    snapshot::{INGRESS, Kind, ObjectRef, Objects},
    spec::Validated,
};

const OWNED: &[&str] = &["/spec/rules", "/spec/defaultBackend", "/spec/tls", "/spec/ingressClassName"];

/// `ingress` is the user's, of which others may have canaries too; `canary` is the backend: namespace, Service and port.
const QUERIES: Builtin = Builtin {
    needs: "ingress-nginx has to be started with --enable-metrics, and Prometheus has to scrape it",
    primary_series: &[
        r#"nginx_ingress_controller_requests{namespace=~"{{ namespace }}",ingress=~"{{ ingress }}",canary=""}"#,
    ],
    ..builtin!(
            r#"namespace=~"{{ namespace }}",ingress=~"{{ ingress }}",canary=~"{{ namespace }}-{{ service }}-canary-[0-9a-zA-Z-]+""#,
            "nginx_ingress_controller_requests" if r#"status!~"5.*""#,
            mean "nginx_ingress_controller_response_duration_seconds_sum" / "nginx_ingress_controller_response_duration_seconds_count" " * 1000"
    )
};

/// The router.
pub(super) struct Nginx;

impl Router for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[INGRESS]
    }

    /// Its controller syncs at most once every few seconds.
    fn settle(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn apex_is_primary(&self) -> bool {
        true
    }

    fn unsupported(&self, c: &Validated) -> Vec<String> {
        let why = "the annotations of ingress-nginx cannot say it: leave it out";
        let mut refused = copy::unnamed(c, "ingressRef");
        refused.extend(route::cannot(c, &["mirror", "sessionAffinity"], why));
        if !c.analysis.match_.is_empty() {
            let why = "with spec.analysis.match ingress-nginx sends all named requests to the canary: set iterations instead";
            refused.extend(route::cannot(
                c,
                &["stepWeight", "stepWeights", "steps", "stepWeightPromotion"],
                why,
            ));
            refused.extend(named(c).err());
        }
        refused.extend(always_never::problems(c));
        refused.extend(overrides(c).err());
        refused
    }

    fn not_programmed(&self, c: &Validated, live: &Objects) -> Option<String> {
        copy::unfollowed(c, live, &self.sources(c)[0], |ingress| leads(c, ingress))
    }

    fn advice(&self, c: &Validated, live: &Objects) -> Vec<String> {
        let user = &self.sources(c)[0];
        let own = annotation(c, "canary");
        let said = live.at(user).map(manifest::annotations).unwrap_or_default();
        let said = said.into_keys().filter(|key| *key == own || key.starts_with(&format!("{own}-")));
        let advice = said.map(|key| {
            format!("{key} of {user} is no part of its copy: say in spec.analysis.always, or in match, whom it is about, and take it off")
        });
        let sticky = live.at(user).is_some_and(|user| is_sticky(c, user)).then(|| {
            format!(
                "{} of {user} keeps users who have its cookie on the primary, whatever the weight and spec.analysis.match: only requests without one reach the canary, and no cookie keeps them there",
                annotation(c, "affinity")
            )
        });
        advice.chain(sticky).collect()
    }

    fn bystanders(&self) -> &'static [Kind] {
        &[INGRESS]
    }

    fn touches(&self, c: &Validated, live: &Objects, other: &Value) -> Option<String> {
        let same = |ours: (&str, &str, &str), theirs: (&str, &str, &str)| {
            ours.0 == theirs.0 && ours.1 == theirs.1 && (ours.2 == "Exact") == (theirs.2 == "Exact")
        };
        let shared = bystanders::of_ingress(c, live.at(&self.sources(c)[0])?, other, same)?;
        let (name, place) = (bystanders::name(other), shared.place());
        let canary = manifest::annotation(other, &annotation(c, "canary")) == Some("true");
        Some(if canary {
            format!(
                "{name} is a canary of {place} as well, and ingress-nginx goes by one of them only: take it off while this Canary is there"
            )
        } else {
            format!(
                "{name} serves {place} too, and ingress-nginx goes by the older one: where that is it, the canary's share is taken from its requests, so give it a path of its own"
            )
        })
    }

    fn sources(&self, c: &Validated) -> Vec<ObjectRef> {
        vec![ObjectRef::new(INGRESS, copy::named(c, "ingressRef"))]
    }

    fn reads(&self, c: &Validated) -> Vec<ObjectRef> {
        vec![canary(c)]
    }

    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError> {
        let object = canary(c);
        let Some(live) = live.at(&object) else {
            return Err(RouterError::NotFound(object));
        };
        let said = |key: &str| live["metadata"]["annotations"][annotation(c, key)].as_str();
        if said("canary") != Some("true") {
            return Ok(Split::to_canary(0));
        }
        let by_name = KEYS[2..].iter().any(|key| said(key).is_some());
        if by_name && said("canary-weight").is_none() {
            return Ok(Split::to_canary(100));
        }
        let weight = said("canary-weight").and_then(|text| text.parse().ok()).unwrap_or(0);
        let everyone = weight > 0 && !c.analysis.match_.is_empty();
        Ok(Split::to_canary(weight).for_everyone(everyone).pinning(by_name))
    }

    fn render(
        &self,
        c: &Validated,
        live: &Objects,
        want: Split,
        _cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError> {
        let at = canary(c);
        let source = copy::source(c, live, &self.sources(c)[0], &at, |ingress| leads(c, ingress))?;
        let own = annotation(c, "canary");
        let behaviour = annotation(c, BEHAVIOUR);
        let mut metadata =
            copy::metadata(c, &source, live.at(&at), |key| key.starts_with(&own) || key == behaviour);
        let mut mark = |key: &str, value: Value| {
            get::set(&mut metadata, &["annotations", annotation(c, key).as_str()], value);
        };
        for key in KEYS {
            mark(key, Value::Null);
        }
        if let Source::User(user) = &source {
            let was = live.at(&at).is_some_and(|copy| manifest::annotation(copy, &behaviour).is_some());
            if is_sticky(c, user) {
                mark(BEHAVIOUR, json!("legacy"));
            } else if was {
                mark(BEHAVIOUR, Value::Null);
            }
        }
        mark("canary", json!("true"));
        let named = named(c).unwrap_or_default();
        if named.is_empty() || want.canary() == 0 || want.is_for_everyone() {
            mark("canary-weight", json!(want.canary().to_string()));
        } else {
            for (key, value) in named {
                mark(key, json!(value));
            }
        }
        if want.is_pinned() {
            for (key, value) in overrides(c).unwrap_or_default() {
                mark(key, json!(value));
            }
        }
        let body = match source {
            Source::User(user) => json!({"metadata": metadata, "spec": turned(c, &user["spec"])}),
            Source::Copy(copy) => json!({"metadata": metadata, "spec": copy["spec"]}),
        };
        Ok(vec![Manifest::new(INGRESS, &at.name, managers::ROUTE, OWNED, body)])
    }

    /// Its weight is removed first, so that it can be deleted once the proxies have seen that.
    fn restore(&self, c: &Validated, live: &Objects) -> Vec<Undo> {
        let at = canary(c);
        if !live.at(&at).is_some_and(|object| made_for(object, &c.name)) {
            return vec![];
        }
        let still = self.render(c, live, Split::to_canary(0), &Cookies::default()).unwrap_or_default();
        still.into_iter().map(Undo::Restore).chain([Undo::Delete(at)]).collect()
    }

    fn queries(&self) -> &'static Builtin {
        &QUERIES
    }
}

fn leads(c: &Validated, ingress: &Value) -> bool {
    copy::backends(ingress).any(|backend| backend["service"]["name"] == c.names.apex.as_str())
}

/// The part of the user's Ingress for the apex, pointing to the canary.
fn turned(c: &Validated, spec: &Value) -> Value {
    let to_canary = |backend: &mut Value| backend["service"]["name"] = json!(c.names.canary_service);
    let mut spec = copy::narrowed(c, spec, &|path| {
        let mut path = path.clone();
        to_canary(&mut path["backend"]);
        vec![path]
    });
    if spec["defaultBackend"].is_object() {
        to_canary(&mut spec["defaultBackend"]);
    }
    spec
}

/// Annotations without the prefix that make and control a canary Ingress.
const KEYS: [&str; 6] = [
    "canary",
    "canary-weight",
    "canary-by-header",
    "canary-by-header-value",
    "canary-by-header-pattern",
    "canary-by-cookie",
];

/// The annotation that says whether cookies of the canary keep users there. They do by default, regardless of weights and
/// runs: users could not be moved off a failed version. `legacy`: they do not.
const BEHAVIOUR: &str = "affinity-canary-behavior";

/// The user's Ingress has sessions by cookie.
fn is_sticky(c: &Validated, user: &Value) -> bool {
    manifest::annotation(user, &annotation(c, "affinity")) == Some("cookie")
}

fn annotation(c: &Validated, key: &str) -> String {
    format!("{}/{key}", c.ingress.prefix)
}

fn canary(c: &Validated) -> ObjectRef {
    copy::of_ingress(&copy::named(c, "ingressRef"))
}

/// Annotations without the prefix, with their values.
type Said = Vec<(&'static str, String)>;

/// The annotations for the requests of `match`.
fn named(c: &Validated) -> Result<Said, String> {
    naming("spec.analysis.match", &c.analysis.match_)
}

/// The annotations that send the requests of `always` to the canary, regardless of the weight. The controller's fixed
/// values for a header, `always` and `never`, come as a pair, and for a cookie there are no others: so `never` has to
/// be one of a pair too.
fn overrides(c: &Validated) -> Result<Said, String> {
    let mut always = naming("spec.analysis.always", &c.analysis.always)?;
    let never = naming("spec.analysis.never", &c.analysis.never)?;
    let value = |said: &Said, key: &str| said.iter().find(|(k, _)| *k == key).map(|(_, value)| value.clone());
    let same = |key: &str| value(&never, key).is_none_or(|name| value(&always, key) == Some(name));
    let words = (value(&always, "canary-by-header-value"), value(&never, "canary-by-header-value"));
    let by_header = value(&never, "canary-by-header").is_some();
    let paired = words == (Some("always".into()), Some("never".into()));
    if value(&never, "canary-by-cookie").is_some() && value(&always, "canary-by-header").is_some() {
        return Err(
            "spec.analysis.never: ingress-nginx looks at the header of spec.analysis.always before the cookie, so a request with both would get the canary: name a header here, or no header there"
                .into(),
        );
    }
    if !same("canary-by-header") || !same("canary-by-cookie") || by_header && !paired {
        return Err(
            "spec.analysis.never: ingress-nginx keeps requests off the canary only by the header or cookie of spec.analysis.always, a header with the exact values always and never: name the same one, or leave it out"
                .into(),
        );
    }
    if paired {
        always.retain(|(key, _)| *key != "canary-by-header-value");
    }
    Ok(always)
}

/// The annotations for the requests of a list: at most one header and one cookie, in entries of their own because the
/// controller takes requests with either. Err: the list has more, or other conditions.
fn naming(list: &str, entries: &[Value]) -> Result<Said, String> {
    let mut all: Said = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let path = format!("{list}[{index}]");
        for field in ["queryParams", "sourceLabels"] {
            if entry[field].as_object().is_some_and(|asked| !asked.is_empty()) {
                return Err(format!("{path}.{field}: ingress-nginx tells headers and cookies only"));
            }
        }
        if entry["headers"].as_object().is_some_and(|headers| headers.len() > 1) {
            return Err(format!(
                "{path}.headers: ingress-nginx asks for any of them, not for all: make an entry of each, with one header and one cookie in all"
            ));
        }
        for (name, way) in entry["headers"].as_object().into_iter().flatten() {
            let (exact, regex) = (way["exact"].as_str(), way["regex"].as_str());
            let said = match (name == "cookie", exact, regex) {
                (true, Some(cookie), _) => vec![("canary-by-cookie", cookie.to_owned())],
                (false, Some(value), _) => {
                    vec![("canary-by-header", name.clone()), ("canary-by-header-value", value.to_owned())]
                }
                (false, None, Some(pattern)) => {
                    vec![("canary-by-header", name.clone()), ("canary-by-header-pattern", pattern.to_owned())]
                }
                _ => {
                    return Err(format!(
                        "{path}.headers.{name}: ingress-nginx knows exact and regex for a header, exact for a cookie (its name)"
                    ));
                }
            };
            if said.iter().any(|(key, _)| all.iter().any(|(other, _)| other == key)) {
                return Err(format!(
                    "{path}.headers.{name}: ingress-nginx takes one header and one cookie only"
                ));
            }
            all.extend(said);
        }
    }
    Ok(all)
}
