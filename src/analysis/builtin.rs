//! The two checks that need no query from the user. Their text belongs to the router. This module fills it in and
//! escapes values, so that no name can change the query.

use super::{
    checks::Checks,
    query::{Counters, Metric},
    template,
};
use crate::{
    router::Builtin,
    spec::{Target, Validated},
    text::first_chars,
};

pub(crate) use crate::spec::metric_names::DURATION;

/// The PromQL of a built-in check over a window that is known to be a valid PromQL duration.
pub(crate) fn render(
    c: &Validated,
    checks: &Checks,
    builtin: &Builtin,
    kind: Metric,
    window: &str,
) -> Result<String, String> {
    fill(
        c,
        checks,
        builtin,
        if kind == Metric::Duration { builtin.duration } else { builtin.success_rate },
        window,
    )
}

/// The PromQL that counts the requests in such a window.
pub(crate) fn requests(
    c: &Validated,
    checks: &Checks,
    builtin: &Builtin,
    window: &str,
) -> Result<String, String> {
    fill(c, checks, builtin, builtin.requests, window)
}

/// A selector of counters, filled in.
pub(super) fn selector(
    c: &Validated,
    checks: &Checks,
    builtin: &Builtin,
    text: &str,
) -> Result<String, String> {
    // a selector has no window
    fill(c, checks, builtin, text, "")
}

/// The counters that a built-in check uses.
pub(crate) fn counters(
    c: &Validated,
    checks: &Checks,
    builtin: &Builtin,
    kind: Metric,
    window: &str,
) -> Result<Counters, String> {
    let filled = |c: &Validated, all: &[&str]| {
        all.iter().map(|text| fill(c, checks, builtin, text, window)).collect::<Result<Vec<_>, _>>()
    };
    let own = filled(c, builtin.series)?;
    let of_primary = if builtin.primary_series.is_empty() { builtin.series } else { builtin.primary_series };
    let primary = filled(&c.for_primary(), of_primary)?;
    let read = if kind == Metric::Duration { builtin.duration_series } else { builtin.series };
    let classic = filled(c, read)?;
    let histograms = classic.into_iter().filter_map(|classic| Some((native(&classic)?, classic))).collect();
    let primary = if primary == own { vec![] } else { primary };
    Ok(Counters { own, primary, histograms })
}

/// The selector of the native form of a histogram, given one of its classic series. A Summary has series of the same name,
/// with a label for the quantile.
fn native(classic: &str) -> Option<String> {
    let (name, matchers) = classic.split_once('{')?;
    let base = ["_bucket", "_count", "_sum"].iter().find_map(|part| name.strip_suffix(part))?;
    Some(format!("{base}{{quantile=\"\",{matchers}"))
}

fn fill(
    c: &Validated,
    checks: &Checks,
    builtin: &Builtin,
    text: &str,
    window: &str,
) -> Result<String, String> {
    let plain = template::Model::of(c, checks, window);
    let name = |text: &str| if builtin.words { word(text) } else { matcher(text) };
    let promoted = name(checks.promoted.as_ref().unwrap_or(&plain.route));
    let model = template::Model {
        name: name(&plain.name),
        namespace: name(&plain.namespace),
        target: name(&plain.target),
        service: name(&plain.service),
        ingress: name(&plain.ingress),
        route: name(&plain.route),
        ..plain
    };
    let own = [
        ("{{ side }}", name(side(c))),
        ("{{ pod }}", pod(c)),
        ("{{ other pod }}", other(c)),
        ("{{ workload }}", workload(c)),
        ("{{ promoted }}", promoted),
    ];
    let text = own.iter().fold(text.to_owned(), |text, (mark, value)| text.replace(mark, value));
    template::render(&text, &model)
}

/// The Service of the measured side.
fn side(c: &Validated) -> &str {
    if is_primary(c) { &c.names.primary_service } else { &c.names.canary_service }
}

/// The kind of the measured workload, as metrics name it. With a Service as target, it is a Deployment with its name that is
/// measured.
fn workload(c: &Validated) -> String {
    let kind = if c.target == Target::Service { "Deployment" } else { c.spec.target_ref.kind.as_str() };
    kind.to_lowercase()
}

/// Longest prefix of a generated name; a longer one is cut before five characters are appended
/// (`k8s.io/apiserver/pkg/storage/names`).
const LONGEST_GENERATED: usize = 58;

/// The characters that Kubernetes writes into generated names (`k8s.io/apimachinery/pkg/util/rand`). There is no vowel among
/// them, so that words in names of other workloads rarely look like a generated part.
const GENERATED: &str = "[bcdf-hj-np-tv-xz2456789]";

/// A regular expression for the names of the target's pods. Pods of a Deployment have two parts after its name, those of a
/// DaemonSet have one. In long names a part is cut off, and some of the name with it.
fn pod(c: &Validated) -> String {
    let target = &c.names.target;
    let random = format!("{GENERATED}{{5}}");
    if target.len() >= LONGEST_GENERATED {
        return format!("{}{random}", matcher(first_chars(target, LONGEST_GENERATED)));
    }
    let name = matcher(target);
    match c.target {
        Target::DaemonSet => format!("{name}-{random}"),
        // whatever has the pods that it selects
        Target::Service => format!("{name}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"),
        // a hash of at most ten characters and two dashes follow a Deployment's name
        _ if target.len() + 12 > LONGEST_GENERATED => format!("{name}-{GENERATED}{{0,10}}-?{random}"),
        // the hash is a number below 2^32 in these characters, in all but a few of a million cases of five digits at least
        _ => format!("{name}-{GENERATED}{{5,10}}-{random}"),
    }
}

/// A regular expression for pods of the other side whose names begin like those of this side.
fn other(c: &Validated) -> String {
    if is_primary(c) {
        "-".into()
    } else {
        format!("{}.*", matcher(first_chars(&c.names.primary, LONGEST_GENERATED)))
    }
}

/// The query is about the primary.
fn is_primary(c: &Validated) -> bool {
    c.names.target == c.names.primary
}

/// A name as one word: every character other than letters, digits and `_` becomes `_`.
fn word(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// A literal inside a double-quoted PromQL regular expression.
fn matcher(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\\' => out.push_str(r"\\\\"),
            _ if ".+*?()|[]{}^$".contains(c) => {
                out.push_str(r"\\");
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{api::Reporter, manifest::fixture, router};

    #[test]
    fn istio_asks_for_the_canary_and_reads_only_failures_as_zero() {
        let mut c = fixture::canary(&json!({}));
        let builtin = router::by_name("istio").unwrap().queries().reported_by(Reporter::Destination);
        let base =
            r#"reporter="destination",destination_workload_namespace="test",destination_workload=~"podinfo""#;
        let rate = format!(
            "(sum(increase(istio_requests_total{{{base},response_code!~\"5.*\",grpc_response_status!~\"2|4|13|14|15\"}}[1m]) or \
             increase(istio_requests_total{{{base},response_code!~\"5.*\",grpc_response_status=~\"2|4|13|14|15\",response_flags=~\"DC|DR\"}}[1m])) or vector(0)) / \
             sum(increase(istio_requests_total{{{base}}}[1m])) * 100"
        );
        assert_eq!(render(&c, &Checks::default(), builtin, Metric::SuccessRate, "1m").unwrap(), rate);
        let duration = format!(
            "histogram_quantile(0.99, sum(increase(istio_request_duration_milliseconds_bucket{{{base}}}[30s])) by (le))"
        );
        assert_eq!(render(&c, &Checks::default(), builtin, Metric::Duration, "30s").unwrap(), duration);
        c.names.target = "my.app".into();
        assert!(
            render(&c, &Checks::default(), builtin, Metric::Duration, "1m")
                .unwrap()
                .contains(r#"=~"my\\.app""#)
        );
    }

    fn pods(kind: &str, target: &str) -> (String, String) {
        let mut c = fixture::canary(&json!({}));
        c.names.target = target.into();
        c.names.primary = crate::names::primary(target);
        (c.target, c.spec.target_ref.kind) = match kind {
            "DaemonSet" => (Target::DaemonSet, kind.into()),
            "Service" => (Target::Service, kind.into()),
            _ => (Target::Deployment, "Deployment".into()),
        };
        let text = |c: &Validated| {
            let builtin = router::by_name("kubernetes").unwrap().queries();
            render(c, &Checks::default(), builtin, Metric::SuccessRate, "1m").unwrap()
        };
        (text(&c), text(&c.for_primary()))
    }

    /// Whether the query reads a pod of this name.
    fn reads(query: &str, pod: &str) -> bool {
        let quoted = |mark: &str| {
            let rest = &query[query.find(mark).unwrap() + mark.len()..];
            let text = rest[..rest.find('"').unwrap()].replace(r"\\", r"\");
            regex::Regex::new(&format!("^(?:{text})$")).unwrap()
        };
        quoted("kubernetes_pod_name=~\"").is_match(pod) && !quoted("kubernetes_pod_name!~\"").is_match(pod)
    }

    #[test]
    fn pods_are_told_by_name_for_every_kind_of_target_and_in_both_directions() {
        let long = "a".repeat(53);
        let cases = [
            ("Deployment", "podinfo", "podinfo-689f645b78-65n28", "podinfo-primary-7bcf5f9c4-x2x2x"),
            ("DaemonSet", "podinfo", "podinfo-65n28", "podinfo-primary-x2x2x"),
            ("Service", "podinfo", "podinfo-689f645b78-65n28", "podinfo-primary-7bcf5f9c4-x2x2x"),
            ("Deployment", &long, &format!("{long}-689f65n28"), &format!("{long}-primx2x2x")),
            ("DaemonSet", &long, &format!("{long}-65n28"), &format!("{long}-primx2x2x")),
        ];
        for (kind, target, canary, primary) in cases {
            let (of_canary, of_primary) = pods(kind, target);
            assert!(reads(&of_canary, canary) && !reads(&of_canary, primary), "{kind} {of_canary}");
            assert!(reads(&of_primary, primary) && !reads(&of_primary, canary), "{kind} {of_primary}");
        }
        let (of_canary, _) = pods("DaemonSet", "podinfo");
        assert!(!reads(&of_canary, "podinfo-689f645b78-65n28"), "a Deployment's: {of_canary}");
    }

    #[test]
    fn pods_of_other_workloads_whose_names_begin_alike_are_not_read() {
        for (kind, others) in [
            (
                "Deployment",
                ["podinfo-worker-0", "podinfo-agent-x7z4q", "podinfo-migrate-bcdfg", "podinfo-db-x7z4q"],
            ),
            ("DaemonSet", ["podinfo-0", "podinfo-agent", "podinfo-worker", "podinfo-10"]),
        ] {
            let (of_canary, of_primary) = pods(kind, "podinfo");
            for other in others {
                assert!(!reads(&of_canary, other), "{other} by {of_canary}");
                let beside_primary = other.replace("podinfo", "podinfo-primary");
                assert!(!reads(&of_primary, &beside_primary), "{beside_primary} by {of_primary}");
            }
        }
    }

    #[test]
    fn pods_of_long_names_are_read_however_much_of_them_is_cut() {
        for length in 40..=63 {
            let target = "a".repeat(length);
            for (kind, base) in [
                ("Deployment", format!("{target}-689f645b78-")),
                ("Deployment", format!("{target}-7bcf5f9c4-")),
                ("DaemonSet", format!("{target}-")),
            ] {
                let pod = format!("{}x7z4q", first_chars(&base, LONGEST_GENERATED));
                let (of_canary, _) = pods(kind, &target);
                // from here on the names of the primary's pods are the same
                if length + "-primary".len() < LONGEST_GENERATED {
                    assert!(reads(&of_canary, &pod), "{kind} {pod} by {of_canary}");
                }
                let pattern = &of_canary[of_canary.find("=~\"").unwrap() + 3..];
                let pattern = &pattern[..pattern.find('"').unwrap()];
                let matches = regex::Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(&pod);
                assert!(matches, "{kind} {pod} by {pattern}");
            }
        }
    }

    #[test]
    fn linkerd_names_the_workload_by_its_kind() {
        let mut c = fixture::canary(&json!({}));
        let text = |c: &Validated| {
            let builtin = router::by_name("linkerd").unwrap().queries();
            render(c, &Checks::default(), builtin, Metric::SuccessRate, "1m").unwrap()
        };
        assert!(text(&c).contains(r#",deployment=~"podinfo""#), "{}", text(&c));
        c.spec.target_ref.kind = "DaemonSet".into();
        assert!(text(&c).contains(r#",daemonset=~"podinfo""#), "{}", text(&c));
        // no series has a label for Services: a Deployment with the Service's name is meant
        (c.target, c.spec.target_ref.kind) = (Target::Service, "Service".into());
        assert!(text(&c).contains(r#",deployment=~"podinfo""#), "{}", text(&c));
    }

    #[test]
    fn both_ends_are_read_by_default_and_each_alone_on_request() {
        let c = fixture::canary(&json!({}));
        let text = |reporter| {
            let builtin = router::by_name("istio").unwrap().queries().reported_by(reporter);
            let of = |kind| render(&c, &Checks::default(), builtin, kind, "1m").unwrap();
            [
                of(Metric::SuccessRate),
                of(Metric::Duration),
                requests(&c, &Checks::default(), builtin, "1m").unwrap(),
            ]
        };
        let source = r#"reporter="source",destination_service_namespace="test",destination_service_name=~"podinfo-canary""#;
        assert!(text(Reporter::Source).iter().all(|t| t.contains(source) && !t.contains(r#""destination""#)));
        assert!(text(Reporter::Destination).iter().all(|t| !t.contains(r#""source""#)));
        assert_eq!(Reporter::default(), Reporter::Both);
        assert!(text(Reporter::Both).iter().all(|t| t.contains(source) && t.contains(r#""destination""#)));
        let primary = c.for_primary();
        let builtin = router::by_name("istio").unwrap().queries().reported_by(Reporter::Both);
        let text = render(&primary, &Checks::default(), builtin, Metric::SuccessRate, "1m").unwrap();
        assert!(
            text.contains(r#"destination_service_name=~"podinfo-primary""#)
                && !text.contains("podinfo-canary")
        );
    }

    #[test]
    fn nothing_breaks_out_of_a_matcher() {
        assert_eq!(matcher(r#"a"b\c|d"#), r#"a\"b\\\\c\\|d"#);
    }
}
