//! The languages that users write, and what names servers.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use serde_json::Value;
use url::{Host, Url};

use super::{Target, examples, fuzz, is_short, literals, singly};
use crate::{
    api::{duration, request::Request},
    expression::{
        Condition, Path, quantity,
        template::{Functions, render},
    },
    outbound::{self, OutboundPolicy},
    pattern,
    proxies::Proxies,
};

/// Every text below these names in the examples.
fn texts_of(kind: &str, names: &[&str]) -> Vec<String> {
    fn walk(value: &Value, names: &[&str], found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, names, found)),
            Value::Object(members) => {
                for (name, member) in members {
                    found.extend(
                        member.as_str().filter(|_| names.contains(&name.as_str())).map(str::to_owned),
                    );
                    walk(member, names, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for object in examples(kind) {
        walk(&object, names, &mut found);
    }
    found
}

/// Words of this language.
const TEMPLATES_WORDS: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    "{{ end }}",
    "{{ else }}",
    "{{ if true }}",
    "{{ range 9 }}",
    "{{ with target }}",
    "{{ define \"q\" }}",
    "{{ template \"q\" . }}",
    "{{ block \"q\" 1 }}",
    "{{ break }}",
    "{{ continue }}",
    "{{/*",
    "*/}}",
    "$x",
    ":=",
    "=",
    "|",
    "print",
    "println",
    "printf",
    "\"%s%s\"",
    "\"%9999d\"",
    "\"%q\"",
    "html",
    "js",
    "urlquery",
    "slice",
    "index",
    "len",
    "eq",
    "ne",
    "lt",
    "and",
    "or",
    "not",
    "variables",
    "args",
    "target",
    "interval",
    "namespace",
    ".",
    "`",
    "'a'",
    "0x1p4",
    "1e9",
    "nil",
    "true",
];

#[test]
fn fuzz_templates() {
    let target = || {
        let mut seeds = literals(include_str!("../../analysis/tests/template.rs"));
        seeds.extend(literals(include_str!("../../../e2e/tests/engines/templates.rs")));
        seeds.extend(texts_of("MetricTemplate", &["query"]));
        Target {
            seeds: singly(seeds),
            words: TEMPLATES_WORDS,
            longest: 17 * 1024,
            held: (2 << 20, 0),
            made: (400_000, 0),
        }
    };
    let variables =
        BTreeMap::from([("direction".to_owned(), "in".to_owned()), ("a-b".to_owned(), "c".to_owned())]);
    let args = BTreeMap::from([
        ("team".to_owned(), "blue".to_owned()),
        ("id".to_owned(), "*****id*****".to_owned()),
    ]);
    let functions = Functions {
        texts: [("target", "podinfo"), ("namespace", "prod"), ("interval", "1m"), ("name", "podinfo")].into(),
        maps: [("variables", &variables), ("args", &args)].into(),
        marks: vec!["*****id*****"],
    };
    fuzz("templates", target, &|input| match render(&input[0], &functions) {
        Ok(text) if text.len() > 32 * 1024 => Err(format!("it renders {} bytes", text.len())),
        Ok(text) => Ok(format!("{} bytes", "I".repeat(text.len().min(40)))),
        Err(why) => is_short("a template", &why).map(|()| why),
    });
}

fn numbers(text: &str) -> Vec<f64> {
    let read = |word: &str| word.trim().parse::<f64>().ok();
    text.split(',').filter_map(read).take(200).collect()
}

/// Words of this language.
const CONDITIONS_WORDS: &[&str] = &[
    "result",
    "[0]",
    ">=",
    "==",
    "!=",
    "&&",
    "||",
    "!",
    "?",
    ":",
    "isNaN(",
    "isInf(",
    "len(",
    "default(",
    "primary",
    ".all(x, x",
    ".exists(x, x",
    ".map(x, x",
    ".filter(x, x",
    " in ",
    "[1, 2]",
    "max(",
    "min(",
    "abs(",
    "nil",
    "and",
    "or",
    "not",
    "%",
    "/",
    "*",
    "-",
    "0.5",
    "\"a\"",
    "'a'",
    "asFloat(",
];

#[test]
fn fuzz_conditions() {
    let target = || {
        let mut texts = literals(include_str!("../../expression/condition/tests.rs"));
        texts.extend(literals(include_str!("../../../e2e/tests/engines/conditions.rs")));
        texts.extend(texts_of("Canary", &["passWhen", "successCondition", "failureCondition"]));
        Target {
            seeds: texts.into_iter().map(|text| vec![text, "0.5,1".into(), "2".into()]).collect(),
            words: CONDITIONS_WORDS,
            longest: 600,
            held: (256 << 10, 0),
            made: (60_000, 0),
        }
    };
    fuzz("conditions", target, &|input| {
        let condition = match Condition::parse(&input[0]) {
            Ok(condition) => condition,
            Err(why) => return is_short("a condition", &why).map(|()| why),
        };
        if Condition::parse(condition.text()).as_ref() != Ok(&condition) {
            return Err("its own text is another condition".into());
        }
        match condition.holds(&numbers(&input[1]), &numbers(&input[2])) {
            Ok(answers) if answers.is_empty() => Err("there is no answer".into()),
            Ok(answers) => Ok(format!("{:?}", answers[0])),
            Err(why) => is_short("values", &why).map(|()| why),
        }
    });
}

/// Words of this language.
const PATHS_WORDS: &[&str] = &[
    "$",
    "@",
    ".",
    "..",
    "*",
    "[*]",
    "..*",
    "[0]",
    "[-1]",
    "[::2]",
    "[0:9]",
    "['",
    "']",
    "[?(@.v==1)]",
    "[?(@.v >= 2)]",
    "{",
    "}",
    "\\.",
    ",",
    ".items",
    ".v",
    ".data",
    "value",
    "items",
    "a",
];

#[test]
fn fuzz_paths() {
    let target = || {
        let document = r#"{"data": {"value": 1.5, "error-rate": 0.2, "deep": {"value": 2}}, "text": "abc",
            "items": [{"name": "a", "v": 1}, {"name": "b", "v": 2}, {"name": "c", "v": 3}]}"#;
        let mut texts = literals(include_str!("../../expression/path/tests.rs"));
        texts.extend(literals(include_str!("../../../e2e/tests/engines/paths.rs")));
        texts.retain(|text| text.len() < 200);
        texts.extend(texts_of("MetricTemplate", &["jsonPath"]));
        Target {
            seeds: texts.into_iter().map(|text| vec![text, document.to_owned()]).collect(),
            words: PATHS_WORDS,
            longest: 32 * 1024,
            held: (256 << 10, 16),
            made: (20_000, 4),
        }
    };
    fuzz("paths", target, &|input| {
        let read = Path::field(&input[0]).and(Path::parse(&input[0])).or_else(|_| Path::parse(&input[0]));
        let path = match read {
            Ok(path) => path,
            Err(why) => return is_short("a path", &why).map(|()| why),
        };
        let mut said = Ok(String::new());
        let Ok(document) = serde_json::from_str::<Value>(&input[1]) else { return Ok("no document".into()) };
        match path.find(&document) {
            Ok(found) if found.len() > 100 => said = Err(format!("it finds {} values", found.len())),
            Ok(found) => said = Ok(format!("{} values", "I".repeat(found.len()))),
            Err(why) => said = is_short("a document", &why).map(|()| why).or(said),
        }
        said
    });
}

/// Words of this language.
const DURATIONS_WORDS: &[&str] =
    &["ns", "us", "µs", "μs", "ms", "s", "m", "h", "d", ".", "+", "-", "0", "1h"];

#[test]
fn fuzz_durations() {
    let target = || Target {
        seeds: singly(literals(include_str!("../../api/duration.rs"))),
        words: DURATIONS_WORDS,
        longest: 4096,
        held: (16 << 10, 8),
        made: (100, 1),
    };
    fuzz("durations", target, &|input| {
        let Some(read) = duration::parse(&input[0]) else { return Ok("none".into()) };
        let again = format!("{}ns", read.as_nanos());
        if read > Duration::from_nanos(i64::MAX as u64) || duration::parse(&again) != Some(read) {
            return Err(format!("{read:?} is longer than a duration of Go"));
        }
        Ok("some".into())
    });
}

/// Words of this language.
const QUANTITIES_WORDS: &[&str] =
    &["n", "u", "m", "k", "M", "Ki", "Mi", "Ei", "e", "E", ".", "-", "+", "inf", "NaN", "e400"];

#[test]
fn fuzz_quantities() {
    let target = || Target {
        seeds: singly(literals(include_str!("../../expression/quantity.rs"))),
        words: QUANTITIES_WORDS,
        longest: 4096,
        held: (16 << 10, 8),
        made: (100, 1),
    };
    fuzz("quantities", target, &|input| match quantity::parse(&input[0]) {
        Some(value) if value.is_nan() => Err("a quantity is not a number".into()),
        Some(value) if value < 0.0 && !input[0].starts_with('-') => Err(format!("{value} has no sign")),
        Some(_) if input[0].contains(char::is_whitespace) => Err("there is space in a quantity".into()),
        Some(_) => Ok("some".into()),
        None => Ok("none".into()),
    });
}

/// Words of this language.
const REQUESTS_WORDS: &[&str] = &[
    "promote/",
    "approve/",
    "abort/1",
    "\"id\"",
    "\"verb\"",
    "\"revision\"",
    "\"step\"",
    "\"gate\"",
    "\"by\"",
    "\"reason\"",
    "\"for\"",
    "\"pause\"",
    "\"30m\"",
    ":",
    ",",
    "{",
    "}",
    "\\u0000",
    "\\n",
];

#[test]
fn fuzz_requests() {
    let target = || Target {
        seeds: singly(literals(include_str!("../../api/request.rs"))),
        words: REQUESTS_WORDS,
        longest: 3000,
        held: (96 << 10, 8),
        made: (1000, 1),
    };
    fuzz("requests", target, &|input| {
        let (id, request) = Request::read(&input[0]);
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if id.is_empty() || id.len() > 64 || !id.chars().all(fits) {
            return Err(format!("it is answered under {id:?}"));
        }
        let request = match request {
            Ok(request) => request,
            Err(why) => return is_short("a request", &why).map(|()| why),
        };
        let written = serde_json::to_string(&request).map_err(|error| error.to_string())?;
        match Request::parse(&written) {
            Ok(again) if again == request => {
                Ok(format!("{:?} {:?}", request.known().is_ok(), request.lasts().is_some()))
            }
            // it may take more bytes than it had
            Err(why) if why.contains("bytes") => Ok(why),
            other => Err(format!("written again it is {other:?}")),
        }
    });
}

/// Addresses that no user's server may have, told by other means than the code's.
fn is_inside(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || ip.is_multicast()
        }
        IpAddr::V6(ip) => {
            ip.to_ipv4_mapped().is_some_and(|ip| is_inside(ip.into()))
                || ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unicast_link_local()
                || ip.is_multicast()
        }
    }
}

/// Words of this language.
const URLS_WORDS: &[&str] = &[
    "http://",
    "https://",
    "127.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0x7f.1",
    "2130706433",
    "localhost",
    "169.254.169.254",
    "kubernetes.default.svc",
    "@",
    "user:pw@",
    ":80",
    ":",
    "/",
    "//",
    "\\",
    "?",
    "#",
    ".",
    "*.",
    "{namespace}",
    "%2e",
    "。",
    "①",
    "xn--",
    "10.0.0.0/8",
    ",",
];

#[test]
fn fuzz_urls() {
    let target = || {
        let mut texts = literals(include_str!("../../outbound.rs"));
        texts.extend(literals(include_str!("../../proxies.rs")));
        texts.extend(literals(include_str!("../../net/tests.rs")));
        let with = |url: String| {
            vec![url, "shop".into(), "*.{namespace}.svc,prom.example.com".into(), ".svc,10.0.0.0/8".into()]
        };
        Target {
            seeds: texts.into_iter().map(with).collect(),
            words: URLS_WORDS,
            longest: 3000,
            held: (128 << 10, 32),
            made: (2000, 8),
        }
    };
    fuzz("urls", target, &|input| {
        // as long as a name of a namespace may be
        let namespace: String = input[1].chars().take(63).collect();
        let patterns: Vec<String> =
            input[2].split(',').filter_map(|text| outbound::pattern(text).ok()).collect();
        let proxies = Proxies::read(&|name| match name {
            "HTTPS_PROXY" => Some(input[0].clone()),
            "HTTP_PROXY" => Some("http://proxy.example.com:3128".into()),
            "NO_PROXY" => Some(input[3].clone()),
            _ => None,
        });
        let fits = pattern::any(&[input[2].clone()], &input[0], &namespace);
        let Ok(url) = Url::parse(&input[0]) else { return Ok(format!("no URL, {fits}")) };
        let by = proxies.of(&url).is_some();
        let open = OutboundPolicy::default();
        let listed = OutboundPolicy { hosts: patterns.clone(), strict: true, ..OutboundPolicy::default() };
        let (any, strictly) = (open.admits(&url, &namespace), listed.admits(&url, &namespace));
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::from(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::from(ip)),
            _ => None,
        };
        if ip.is_some_and(is_inside) && (any.is_ok() || strictly.is_ok()) {
            return Err(format!("{url} may be asked"));
        }
        if strictly.is_ok() && any.is_err() {
            return Err(format!("{url} may be asked where less is allowed"));
        }
        let why = any.err().or(strictly.err()).map(|refused| refused.why).unwrap_or_default();
        is_short("a URL", &why).map(|()| format!("{by} {fits} {why}"))
    });
}
