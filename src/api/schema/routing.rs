//! Schemas of the parts of a Canary that are only copied into routing objects. Their Rust type is plain JSON, so the
//! schemas define what users may write, field by field. The API server prunes everything else.

use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::{boolean, choice, finish, integer, list, map, object, ruled, string, string_map, strings, with};

/// A way to compare a string, and its description.
type Way = (&'static str, &'static str);

const EXACT: Way = ("exact", "The whole value.");
const PREFIX: Way = ("prefix", "How the value begins.");
const SUFFIX: Way = ("suffix", "How the value ends.");
const REGEX: Way = ("regex", "A regular expression (RE2) for the value.");

/// A condition on a string, with at most one of `ways`.
fn matcher(description: &str, ways: &[Way]) -> Value {
    with(
        object(description, ways.iter().map(|(name, text)| (*name, string(text)))),
        json!({ "maxProperties": 1 }),
    )
}

/// A condition on a string, with exactly one of `ways`.
fn strict_matcher(description: &str, ways: &[Way]) -> Value {
    with(matcher(description, ways), json!({ "minProperties": 1 }))
}

/// A condition on a string that may also be empty: any value meets it then.
fn any_of(description: &str) -> Value {
    matcher(description, &[EXACT, PREFIX, REGEX])
}

/// Entries of `service.match`.
pub(crate) fn service_match(_: &mut SchemaGenerator) -> Schema {
    let one = "A condition on the value; without any, the value must be there.";
    finish(some(
        "Which requests are routed: those that meet any of these. Default: all.",
        object(
            "Conditions that a request must all meet.",
            [
                ("name", string("Name of the entry.")),
                ("uri", any_of("Path of the request.")),
                ("scheme", any_of("Scheme of the URL, `http` or `https`.")),
                ("method", any_of("Method of the request.")),
                ("authority", any_of("Host that the request is for.")),
                ("headers", map("Headers, by lower-case name.", any_of(one))),
                ("withoutHeaders", map("Headers that must not match, by lower-case name.", any_of(one))),
                ("queryParams", map("Query parameters, by name.", any_of(one))),
                ("port", integer("Port that the request is for.")),
                ("gateways", strings("Gateways that the request came through.")),
                ("sourceLabels", string_map("Labels of the pod that sent the request.")),
                ("sourceNamespace", string("Namespace of the pod that sent the request.")),
                ("ignoreUriCase", boolean("Compare the path without regard to case. Default: false.")),
            ],
        ),
    ))
}

/// Entries of `analysis.match`.
pub(crate) fn analysis_match(_: &mut SchemaGenerator) -> Schema {
    finish(some(
        "Which requests may go to the canary: those that meet any of these. Default: all.",
        requests(),
    ))
}

/// Entries of `analysis.always`.
pub(crate) fn always(_: &mut SchemaGenerator) -> Schema {
    pinned("Which requests get the canary whatever its weight: those that meet any of these. Default: none.")
}

/// Entries of `analysis.never`.
pub(crate) fn never(_: &mut SchemaGenerator) -> Schema {
    pinned("Which requests never get the canary: those that meet any of these. Default: none.")
}

/// Entries that are not empty: an empty one would match every request.
fn pinned(description: &str) -> Schema {
    finish(some(description, with(requests(), json!({ "minProperties": 1 }))))
}

/// A list with at most as many entries as a route may have.
fn some(description: &str, items: Value) -> Value {
    with(list(description, items), json!({ "maxItems": 100 }))
}

/// Requests, by their headers and other properties.
fn requests() -> Value {
    let header = strict_matcher("A condition on the value.", &[EXACT, PREFIX, SUFFIX, REGEX]);
    let labels = "Labels of the pod that sent the request, where `mesh` is among the gateways.";
    object(
        "Conditions that a request must all meet.",
        [
            ("headers", map("Headers, by lower-case name.", header)),
            ("queryParams", map("Query parameters, by name.", any_of("A condition on the value."))),
            ("sourceLabels", string_map(labels)),
        ],
    )
}

/// `service.rewrite`.
pub(crate) fn rewrite(_: &mut SchemaGenerator) -> Schema {
    finish(object(
        "What requests are rewritten to before they are sent on.",
        [
            ("uri", string("Replaces the path, or the part of it that matched.")),
            ("authority", string("Replaces the host.")),
            (
                "type",
                string(
                    "`ReplacePrefixMatch` replaces what matched, anything else the whole path (Gateway API).",
                ),
            ),
        ],
    ))
}

/// `service.retries`.
pub(crate) fn retries(_: &mut SchemaGenerator) -> Schema {
    finish(object(
        "When and how often requests are tried again.",
        [
            ("attempts", integer("How often a request is tried again at most.")),
            ("perTryTimeout", string("Time limit of one try, as a duration such as `1s`.")),
            ("retryOn", string("What is tried again, as Envoy's list: `gateway-error,connect-failure`.")),
        ],
    ))
}

/// `service.headers`.
pub(crate) fn headers(_: &mut SchemaGenerator) -> Schema {
    let operations = |description| {
        object(
            description,
            [
                ("add", string_map("Headers to add to what is there, by name.")),
                ("set", string_map("Headers to put in place of what is there, by name.")),
                ("remove", strings("Names of headers to remove.")),
            ],
        )
    };
    finish(object(
        "Headers to add, set and remove.",
        [("request", operations("Headers of requests.")), ("response", operations("Headers of responses."))],
    ))
}

/// `service.corsPolicy`.
pub(crate) fn cors_policy(_: &mut SchemaGenerator) -> Schema {
    let origin = strict_matcher("A condition on the origin.", &[EXACT, PREFIX, REGEX]);
    finish(object(
        "Which other origins may call from a browser (Istio).",
        [
            ("allowOrigin", strings("Origins that may call; superseded by `allowOrigins`.")),
            ("allowOrigins", list("Origins that may call.", origin)),
            ("allowMethods", strings("Methods they may use.")),
            ("allowHeaders", strings("Headers they may send.")),
            ("exposeHeaders", strings("Headers they may read.")),
            ("maxAge", string("How long browsers may remember this, as a duration such as `24h`.")),
            ("allowCredentials", boolean("Whether they may send credentials.")),
        ],
    ))
}

const DNS_SUBDOMAIN: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// Points at an object, as Gateway API does.
fn gateway_api_ref(group: &str, kind: &str, description: &str) -> Value {
    let group_pattern = format!("^$|{DNS_SUBDOMAIN}");
    let name = json!({ "minLength": 1, "maxLength": 253 });
    let namespace = json!({ "minLength": 1, "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" });
    let schema = object(
        description,
        [
            (
                "group",
                with(
                    string("API group."),
                    json!({ "default": group, "maxLength": 253, "pattern": group_pattern }),
                ),
            ),
            (
                "kind",
                with(
                    string("Kind."),
                    json!({
                        "default": kind, "minLength": 1, "maxLength": 63, "pattern": "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$",
                    }),
                ),
            ),
            ("name", with(string("Name."), name)),
            ("namespace", with(string("Namespace. Default: the Canary's."), namespace)),
            ("port", with(integer("Port, 1 to 65535."), json!({ "minimum": 1, "maximum": 65535 }))),
        ],
    );
    with(schema, json!({ "required": ["name"] }))
}

/// `service.gatewayRefs`.
pub(crate) fn gateway_refs(_: &mut SchemaGenerator) -> Schema {
    let mut gateway =
        gateway_api_ref("gateway.networking.k8s.io", "Gateway", "A Gateway, or one listener of it.");
    gateway["properties"]["sectionName"] = with(
        string("Name of the listener. Default: all listeners that admit the route."),
        json!({ "minLength": 1, "maxLength": 253, "pattern": DNS_SUBDOMAIN }),
    );
    let gateways = list("Gateways that a Gateway API route attaches to, at most 32.", gateway);
    finish(with(gateways, json!({ "maxItems": 32 })))
}

/// `service.mirror`.
pub(crate) fn mirror(_: &mut SchemaGenerator) -> Schema {
    let backend = ruled(
        gateway_api_ref("", "Service", "What gets the copies."),
        "size(self.group) > 0 || self.kind != 'Service' || has(self.port)",
        "a Service needs a port",
    );
    let filter = with(
        object("One receiver of copies.", [("backendRef", backend)]),
        json!({ "required": ["backendRef"] }),
    );
    finish(some("Where copies of all requests are sent (Gateway API).", filter))
}

/// `service.trafficPolicy`.
pub(crate) fn traffic_policy(_: &mut SchemaGenerator) -> Schema {
    finish(object(
        "Traffic policy of the generated DestinationRules (Istio).",
        [
            ("connectionPool", connection_pool()),
            ("loadBalancer", load_balancer()),
            ("outlierDetection", outlier_detection()),
            ("tls", tls()),
        ],
    ))
}

fn connection_pool() -> Value {
    let http = object(
        "Limits for HTTP.",
        [
            (
                "h2UpgradePolicy",
                choice("Whether HTTP/1.1 is upgraded to HTTP/2.", &["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"]),
            ),
            ("http1MaxPendingRequests", integer("Most requests that wait for a connection.")),
            ("http2MaxRequests", integer("Most requests at a time.")),
            (
                "idleTimeout",
                string("After which an unused connection is closed, as a duration such as `1h`."),
            ),
            ("maxRequestsPerConnection", integer("Most requests over one connection.")),
            ("maxRetries", integer("Most retries at a time.")),
        ],
    );
    object("Limits on connections.", [("http", http)])
}

fn load_balancer() -> Value {
    let simple = ["ROUND_ROBIN", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "LEAST_REQUEST"];
    let schema = object(
        "How endpoints are chosen: by `simple` or by `consistentHash`.",
        [
            ("simple", choice("A plain method.", &simple)),
            ("consistentHash", consistent_hash()),
            ("localityLbSetting", locality()),
            (
                "warmupDurationSecs",
                string("How long a new endpoint gets less traffic, as a duration such as `30s`."),
            ),
        ],
    );
    let one = "has(self.simple) != has(self.consistentHash)";
    ruled(schema, one, "exactly one of simple and consistentHash is needed")
}

fn consistent_hash() -> Value {
    let cookie = object(
        "Hash of a cookie, which is set if it is not there.",
        [
            ("name", string("Name of the cookie.")),
            ("path", string("`Path` of the cookie.")),
            ("ttl", string("Lifetime of the cookie, as a duration such as `1h`.")),
        ],
    );
    let schema = object(
        "Requests with the same hash go to the same endpoint.",
        [
            ("httpHeaderName", string("Hash of the header of this name.")),
            ("httpCookie", cookie),
            ("useSourceIp", boolean("Hash of the client's address.")),
            ("httpQueryParameterName", string("Hash of the query parameter of this name.")),
            (
                "minimumRingSize",
                json!({ "type": "integer", "description": "Fewest virtual nodes on the hash ring." }),
            ),
        ],
    );
    let sources = "[has(self.httpHeaderName), has(self.httpCookie), has(self.useSourceIp), \
                   has(self.httpQueryParameterName)].filter(given, given).size() == 1";
    let message =
        "exactly one of httpHeaderName, httpCookie, useSourceIp and httpQueryParameterName is needed";
    ruled(schema, sources, message)
}

fn locality() -> Value {
    let weights = map("Percent of the traffic, by locality.", json!({ "type": "integer" }));
    let distribute = object(
        "Where traffic from one locality goes.",
        [("from", string("Locality of the client, `region/zone/subzone`.")), ("to", weights)],
    );
    let failover = object(
        "Where traffic from one region goes when that region fails.",
        [("from", string("Region that fails.")), ("to", string("Region that takes over."))],
    );
    object(
        "Preference by locality, in place of the mesh's own.",
        [
            ("distribute", list("Shares by locality; not together with `failover`.", distribute)),
            ("failover", list("Failover by region; not together with `distribute`.", failover)),
            ("enabled", boolean("Whether locality is looked at.")),
        ],
    )
}

fn outlier_detection() -> Value {
    object(
        "When an endpoint is taken out for a while.",
        [
            ("baseEjectionTime", string("Least time it stays out, as a duration such as `30s`.")),
            (
                "consecutive5xxErrors",
                json!({ "type": "integer", "description": "After so many 5xx answers in a row." }),
            ),
            ("consecutiveErrors", integer("Superseded by `consecutive5xxErrors`.")),
            ("consecutiveGatewayErrors", integer("After so many 502, 503 or 504 answers in a row.")),
            (
                "consecutiveLocalOriginFailures",
                integer("After so many failures of the proxy's own in a row."),
            ),
            (
                "splitExternalLocalOriginErrors",
                boolean("Count the proxy's own failures apart. Default: false."),
            ),
            ("interval", string("Time between looks, as a duration such as `10s`.")),
            ("maxEjectionPercent", integer("Percent of the endpoints that may be out at most.")),
            ("minHealthPercent", integer("Percent of healthy endpoints under which none is taken out.")),
        ],
    )
}

fn tls() -> Value {
    object(
        "TLS to the endpoints.",
        [
            ("mode", choice("Whether and how.", &["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"])),
            ("caCertificates", string("File with the certificates of the authorities that are trusted.")),
            ("clientCertificate", string("File with the client certificate; needed for `MUTUAL`.")),
            ("privateKey", string("File with the client's key; needed for `MUTUAL`.")),
            ("sni", string("Server name to ask for.")),
            ("subjectAltNames", strings("Names that the server's certificate may bear.")),
        ],
    )
}
