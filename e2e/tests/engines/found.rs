//! The smallest case of each bug that a comparison with the originals has found, under its id. The report lists every
//! id whose bug comes back, for instance if an earlier version of the code answers.

use crate::{conditions::both, original::Case, templates};

/// Ids that must have a case.
pub(crate) const IDS: [&str; 16] =
    ["H1", "H2", "H3", "H4", "H5", "M1", "M2", "M3", "M4", "M5", "M6", "M8", "L1", "L3", "L8", "L9"];

/// The id whose cases cannot be decided, which no original says.
pub(crate) const UNDECIDED: &str = "M2";

const TEMPLATES: [(&str, &str); 27] = [
    ("H1", "sum(rate(x[1m])){{ end }} / sum(rate(y[1m]))"),
    ("H1", "sum(rate(x[1m])){{ else }} / sum(rate(y[1m]))"),
    ("H1", "{{ if true }}x"),
    ("H1", "{{ define \"q\" }}x"),
    ("H1", "sh -c \"k6 run x.js{{ end }} && ./check\""),
    ("H2", "{{ index variables \"missing\" }}"),
    ("H2", "{{ if eq (index variables \"missing\") \"\" }}a{{ else }}b{{ end }}"),
    ("H2", "{{ printf \"%s\" (index variables \"missing\") }}"),
    ("H2", "{{ len (index args \"missing\") }}{{ lt (index args \"missing\") \"a\" }}"),
    ("L3", "{{ urlquery target \".\" namespace }}"),
    ("L3", "{{ html target \"<\" namespace }}"),
    ("L3", "{{ js target \"'\" namespace }}"),
    ("L3", "{{ index variables }}"),
    ("L3", "{{ namespace | }}"),
    ("L8", "{{ 1000000.0 }}"),
    ("L8", "{{ 1e-5 }}"),
    ("L8", "{{ printf \"%d\" 1.5 }}"),
    ("L8", "{{ printf \"%.2f\" 5 }}"),
    ("L8", "{{ printf \"%T|%#v|%F|%O\" 1 \"a\" 1.5 8 }}"),
    ("L8", "{{ printf \"% x|%+q|%3c\" \"ab\" \"é\" 65 }}"),
    ("L8", "{{ printf \"%6.3d|%012s\" 7 \"ab\" }}"),
    ("L8", "{{ printf \"%s\" variables }}"),
    ("L8", "{{ printf \"%d\" variables }}"),
    ("L8", "{{ printf \"%q\" variables }}"),
    ("L8", "{{ printf \"100%\" }}"),
    ("L8", "{{ . }}"),
    ("L8", "{{ print nil }}{{ print 1 2 \"a\" 3 true }}"),
];

type Asked = (&'static str, &'static str, &'static [f64], &'static [f64]);

const CONDITIONS: [Asked; 30] = [
    ("H3", "len(result.filter(x, x < 0.9)) / len(result) > 0.5", &[0.5, 0.5, 0.99], &[]),
    ("H3", "len(filter(result, # < 0.9)) / len(result) > 0.5", &[0.5, 0.5, 0.99], &[]),
    ("H3", "size(result.filter(x, x < 0.9)) / size(result) <= 0.1", &[0.5, 0.5, 0.99], &[]),
    ("H5", "result == \"error\"", &[1.0], &[]),
    ("H5", "result[0] == \"error\"", &[1.0], &[]),
    ("H5", "result[0] == true", &[1.0], &[]),
    ("H5", "result[0] in [\"ok\"]", &[1.0], &[]),
    ("H5", "result[0] != \"error\"", &[1.0], &[]),
    ("M2", "canary[0] / primary[0] <= 1.2", &[0.0], &[0.0]),
    ("M2", "max(canary) / min(canary) < 2", &[0.0], &[]),
    ("M2", "canary[0] < max(primary)", &[0.1], &[f64::NAN, 0.2]),
    ("M3", "result[0] >= 0.95 && resutl[0] <= 1", &[0.5], &[]),
    ("M3", "result[0] < 0.9 || nope(result) > 1", &[0.5], &[]),
    ("M3", "result[0] < 1 || result[0] < \"5\"", &[0.5], &[]),
    ("M4", "result.exists_one(x, x > 0.98)", &[0.99, 0.5], &[]),
    ("M4", "result.exists_one(x, x > 0.4)", &[0.99, 0.5], &[]),
    ("M8", "sum(result) / len(result) >= 0.95", &[1.0, 0.9], &[]),
    ("M8", "len(result) - 1 > 0", &[1.0, 0.9], &[]),
    ("M8", "len(result) * 2 > 3", &[1.0, 0.9], &[]),
    ("M8", "int(result[0]) % 2 == 1", &[3.9], &[]),
    ("L9", "max(result[0], 0) > 0.9", &[0.95], &[]),
    ("L9", "result[0] not in [0, 1]", &[0.5], &[]),
    ("L9", "abs(result[0] - 1) <= 0.1", &[0.95], &[]),
    ("L9", "round(result[0]) == 1", &[0.5], &[]),
    ("L9", "floor(result[0]) == 0", &[0.5], &[]),
    ("L9", "ceil(result[0]) == 1", &[0.5], &[]),
    ("L9", "median(result) == 2", &[1.0, 2.0, 4.0], &[]),
    ("L9", "first(result) < 2", &[1.0, 2.0, 4.0], &[]),
    ("L9", "last(result) == 4", &[1.0, 2.0, 4.0], &[]),
    ("L9", "result[-1] == 4", &[1.0, 2.0, 4.0], &[]),
];

const PATHS: [&str; 7] = [
    "{.data.value}",
    "{[0].v}",
    "{$.data.error-rate}",
    "{$.data['app\\.kubernetes\\.io/name']}",
    "{$.data.1st}",
    "{.data.error-rate}",
    "{.items[0].v}",
];

/// A pod template with a label that the object itself does not have, and one with another value.
const OBJECT: &str = r#"{"metadata": {"name": "podinfo", "labels": {"team": "blue"}},
    "spec": {"template": {"metadata": {"labels": {"app": "p", "team": "red"}}}}}"#;
const FIELDS: [&str; 6] = [
    ".metadata.labels.app",
    "{.metadata.labels.app}",
    ".metadata.labels.team",
    "metadata.labels.app",
    "metadata.labels.team",
    "{.metadata.name}",
];

const QUERIES: [&str; 5] = [
    "sum(a) # 5xx\n/ sum(b)",
    "# share of errors\nsum(a) / sum(b)",
    "sum(a{x=\"b  c\"}) / sum(b)",
    "sum(a{x=\"# no comment\"})\n  / # by\n  sum(b) # all",
    "  sum(a)\n",
];

/// An interval, and the kind of metrics server. Flagger takes a unit for Prometheus that this server refuses.
const WINDOWS: [(&str, &str); 9] = [
    ("1min", "graphite"),
    ("1m", "graphite"),
    ("30s", "graphite"),
    ("2minutes", "graphite"),
    ("min", "graphite"),
    ("1m", "prometheus"),
    ("1m30s", "prometheus"),
    ("1min", "prometheus"),
    ("m", "prometheus"),
];

pub(crate) fn cases() -> Vec<Case> {
    let mut all: Vec<Case> =
        TEMPLATES.iter().map(|(id, text)| Case { id, ..templates::case((*text).to_owned()) }).collect();
    for (text, secret) in [
        ("?t={{ urlquery args.id }}", "a&b#c d"),
        ("?t={{ args.id }}&n={{ urlquery namespace }}", "plain"),
        ("{{ printf \"?t=%s\" (urlquery args.id) }}", "100%"),
    ] {
        let secret = secret.to_owned();
        all.push(Case { id: "M5", secret, ..templates::case(text.to_owned()) });
    }
    for (id, text, values, primary) in CONDITIONS {
        all.extend(both(text, values, primary, false).into_iter().map(|case| Case { id, ..case }));
    }
    let document = crate::paths::DOCUMENT;
    let of = |id, engine, text: &str, document: &str| Case {
        id,
        engine,
        text: text.to_owned(),
        document: document.to_owned(),
        ..Case::default()
    };
    all.extend(PATHS.iter().map(|text| {
        // the root of one of them is a list
        of("L1", "path", text, if text.starts_with("{[") { r#"[{"v": 1}]"# } else { document })
    }));
    all.extend(FIELDS.iter().map(|text| of("M6", "field", text, OBJECT)));
    all.extend(QUERIES.iter().map(|text| of("H4", "promql", text, "")));
    all.extend(WINDOWS.iter().map(|(text, kind)| of("M1", "window", text, kind)));
    for case in &mut all {
        let other_unit = case.document == "prometheus" && case.text == "1min";
        case.strict = case.id != UNDECIDED && !other_unit;
    }
    all
}
