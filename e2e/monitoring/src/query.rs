//! PromQL over the operator's metrics.
//!
//! Where the Prometheus Operator scrapes without `honorLabels`, the label `namespace` of a metric becomes
//! `exported_namespace`, and `namespace` is that of the operator's own pod. Every query here is made for both forms: it takes
//! the series that have `exported_namespace`, and those that do not have it by `namespace`.

/// `metric` with these matchers where its namespace matches, in both forms; `range` is empty or as `[5m]`.
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

/// The series of the Canary that is looked at, by its target.
pub fn own(metric: &str, matchers: &str) -> String {
    both(metric, "=\"$namespace\"", &target(matchers), "", "")
}

/// The rate of a counter, or of the buckets of a histogram, of the Canary that is looked at.
pub fn own_rate(metric: &str, matchers: &str) -> String {
    both(metric, "=\"$namespace\"", &target(matchers), "rate", "[$__rate_interval]")
}

/// What a function over a range makes of a series of the Canary that is looked at.
pub fn own_over(wrap: &str, metric: &str, matchers: &str, range: &str) -> String {
    both(metric, "=\"$namespace\"", matchers, wrap, range)
}

fn target(matchers: &str) -> String {
    let more = if matchers.is_empty() { String::new() } else { format!(",{matchers}") };
    format!("name=\"$name\"{more}")
}

/// The series of all Canaries in the namespaces that are looked at, with their namespace under that name.
pub fn all(metric: &str, matchers: &str) -> String {
    renamed(&both(metric, "=~\"$namespace\"", matchers, "", ""))
}

/// Any series of the operator's with its namespace under that name, whichever form it has.
pub fn renamed(expression: &str) -> String {
    format!("label_replace({expression}, \"namespace\", \"$1\", \"exported_namespace\", \"(.+)\")")
}

/// Any series of the operator's with these matchers, with its namespace under that name.
pub fn anywhere(metric: &str, matchers: &str) -> String {
    renamed(&if matchers.is_empty() { metric.to_owned() } else { format!("{metric}{{{matchers}}}") })
}

/// Not more than one series for each value of these labels, whatever the scrape has added, and after a restart.
pub fn one_by(labels: &str, expression: &str) -> String {
    format!("max by ({labels}) ({expression})")
}

/// By how much counters of all Canaries have grown in this time. Of a counter that is new in it, and of one that began again
/// with a restart, its value: `increase` knows nothing of the first count of a series, which for a release is the one that
/// matters.
pub fn all_grown(metric: &str, matchers: &str, range: &str) -> String {
    let now = both(metric, "=~\"$namespace\"", matchers, "", "");
    let then = both(metric, "=~\"$namespace\"", matchers, "", &format!(" offset {range}"));
    renamed(&format!("({now} - {then} >= 0 or {now})"))
}

/// The same of the counters of all Canaries everywhere.
pub fn grown(metric: &str, matchers: &str, range: &str) -> String {
    let now = format!("{metric}{{{matchers}}}");
    renamed(&format!("({now} - {now} offset {range} >= 0 or {now})"))
}
