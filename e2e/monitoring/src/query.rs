//! PromQL for the operator's metrics.
//!
//! If the Prometheus Operator scrapes without `honorLabels`, the label `namespace` of a metric becomes
//! `exported_namespace`, and `namespace` is the namespace of the operator's own pod. Every query here handles both: it
//! takes series with `exported_namespace` by that label, and series without it by `namespace`.

/// `metric` with these matchers and this namespace, for both forms. `range` is empty or like `[5m]`.
fn both(metric: &str, namespace: &str, matchers: &str, wrap: &str, range: &str) -> String {
    let more = if matchers.is_empty() { String::new() } else { format!(",{matchers}") };
    let one = |labels: String| {
        let selector = format!("{metric}{{{labels}{more}}}{range}");
        if wrap.is_empty() { selector } else { format!("{wrap}({selector})") }
    };
    let exported = one(format!("exported_namespace{namespace}"));
    let plain = one(format!("exported_namespace=\"\",namespace{namespace}"));
    format!("({exported} or {plain})")
}

/// The series of the selected Canary, by its target.
pub fn own(metric: &str, matchers: &str) -> String {
    both(metric, "=\"$namespace\"", &target(matchers), "", "")
}

/// The rate of a counter, or of the buckets of a histogram, for the selected Canary.
pub fn own_rate(metric: &str, matchers: &str) -> String {
    both(metric, "=\"$namespace\"", &target(matchers), "rate", "[$__rate_interval]")
}

/// A function over a range of a series of the selected Canary.
pub fn own_over(wrap: &str, metric: &str, matchers: &str, range: &str) -> String {
    both(metric, "=\"$namespace\"", matchers, wrap, range)
}

fn target(matchers: &str) -> String {
    let more = if matchers.is_empty() { String::new() } else { format!(",{matchers}") };
    format!("name=\"$name\"{more}")
}

/// The series of all Canaries in the selected namespaces, with the namespace in that label.
pub fn all(metric: &str, matchers: &str) -> String {
    renamed(&both(metric, "=~\"$namespace\"", matchers, "", ""))
}

/// Any series of the operator, with its namespace in that label, for both forms.
pub fn renamed(expression: &str) -> String {
    format!("label_replace({expression}, \"namespace\", \"$1\", \"exported_namespace\", \"(.+)\")")
}

/// Any series of the operator with these matchers, with its namespace in that label.
pub fn anywhere(metric: &str, matchers: &str) -> String {
    renamed(&if matchers.is_empty() { metric.to_owned() } else { format!("{metric}{{{matchers}}}") })
}

/// At most one series for each combination of these labels, independent of labels from the scrape, and also after a
/// restart.
pub fn one_by(labels: &str, expression: &str) -> String {
    format!("max by ({labels}) ({expression})")
}

/// The growth of counters of all Canaries in this time. For a counter that is new, or was reset by a restart, its
/// value: `increase` ignores the first count of a series, which is the important one for a release.
pub fn all_grown(metric: &str, matchers: &str, range: &str) -> String {
    let now = both(metric, "=~\"$namespace\"", matchers, "", "");
    let then = both(metric, "=~\"$namespace\"", matchers, "", &format!(" offset {range}"));
    renamed(&format!("({now} - {then} >= 0 or {now})"))
}

/// The same for the counters of all Canaries everywhere.
pub fn grown(metric: &str, matchers: &str, range: &str) -> String {
    let now = format!("{metric}{{{matchers}}}");
    renamed(&format!("({now} - {now} offset {range} >= 0 or {now})"))
}
