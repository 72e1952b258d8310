//! PURE. Ports of Services that routes lead to, whichever router made them: also routes in another form than the
//! one that is rendered now.

use serde_json::Value;

use super::{
    route::{self, Side},
    split::Split,
    traits::{Cookies, Router},
};
use crate::{
    snapshot::{Objects, SERVICE},
    spec::Validated,
};

/// A route of the router, or the user's own that it follows, leads to this port of the Service.
pub(crate) fn leads_to_port(
    router: &dyn Router,
    c: &Validated,
    live: &Objects,
    service: &str,
    port: &Value,
) -> bool {
    let Some(to) = To::new(c, service, port) else { return false };
    let read = router.reads(c).into_iter().chain(router.sources(c));
    let mut read = read.filter(|at| at.kind != SERVICE).filter_map(|at| live.at(&at));
    read.any(|object| to.is_in(&object["spec"]))
}

/// This object leads to this port of the Service.
pub(crate) fn names_port(c: &Validated, object: &Value, service: &str, port: i32) -> bool {
    To::new(c, service, &port.into()).is_some_and(|to| to.is_in(&object["spec"]))
}

/// A route of this router can name this port of the Service.
pub(crate) fn may_name_port(
    router: &dyn Router,
    c: &Validated,
    live: &Objects,
    service: &str,
    port: i32,
) -> bool {
    let c = c.with_port(port);
    let made = router.render(&c, live, Split::to_canary(0), &Cookies::default()).unwrap_or_default();
    made.iter().any(|route| names_port(&c, &route.body, service, port))
}

struct To<'t> {
    service: &'t str,
    port: i64,
    /// Names of it, port included.
    texts: [String; 2],
}

impl<'t> To<'t> {
    fn new(c: &Validated, service: &'t str, port: &Value) -> Option<Self> {
        let port = port.as_i64()?;
        let side = match route::side(c, service) {
            Some(Side::Primary) => "primary",
            Some(Side::Canary) => "canary",
            None => "apex",
        };
        let texts = [
            // of Kuma
            format!("{service}_{}_svc_{port}", c.namespace),
            // of an Upstream of Gloo
            format!("{}-{}-{side}upstream-{port}", c.namespace, c.names.apex),
        ];
        Some(Self { service, port, texts })
    }

    fn is_in(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.texts.contains(text),
            Value::Array(items) => items.iter().any(|item| self.is_in(item)),
            Value::Object(fields) => {
                let at = |key: &&str| fields.get(*key);
                let mut hosts = ["name", "host", "serviceName"].iter().filter_map(at);
                let mut ports = ["port", "servicePort"].iter().filter_map(at);
                let port = |port: &Value| *port == self.port || port["number"] == self.port;
                hosts.any(|host| self.is_host(host)) && ports.any(port)
                    || fields.values().any(|field| self.is_in(field))
            }
            _ => false,
        }
    }

    fn is_host(&self, host: &Value) -> bool {
        let rest = host.as_str().and_then(|host| host.strip_prefix(self.service));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}
