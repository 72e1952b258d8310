//! PromQL for the operator's metrics.
//!
//! If the Prometheus Operator scrapes without `honorLabels`, the label `namespace` of a metric becomes
//! `exported_namespace`, and `namespace` is the namespace of the operator's own pod. Every query here handles both: it
//! takes series with `exported_namespace` by that label, and series without it by `namespace`.

/// Conditions of a run that waits for people: at a gate, in a pause, or for a decision on its metrics.
pub const WAITS_FOR_PEOPLE: [&str; 2] = [
    "type=\"Paused\",status=\"True\"",
    "type=\"Inconclusive\",status=\"True\",reason=\"InconclusiveAnalysis\"",
];

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

/// The growth of counters of all Canaries in this time: see [`growth`].
pub fn all_grown(metric: &str, matchers: &str, range: &str) -> String {
    // a step of a graph may be shorter than the time between two scrapes
    let seen = if range == "$__interval" { "1h" } else { range };
    let more = if matchers.is_empty() { String::new() } else { format!(",{matchers}") };
    let one = |labels: &str| growth(&format!("{metric}{{{labels}{more}}}"), range, seen);
    let exported = one("exported_namespace=~\"$namespace\"");
    let plain = one("exported_namespace=\"\",namespace=~\"$namespace\"");
    renamed(&format!("({exported} or {plain})"))
}

/// The same for any counters of the operator, with their labels as they are.
pub fn grown(metric: &str, matchers: &str, range: &str) -> String {
    let series = if matchers.is_empty() { metric.to_owned() } else { format!("{metric}{{{matchers}}}") };
    growth(&series, range, range)
}

/// The growth of these counters in `range`. For a counter that is new, or was reset by a restart, its value: `increase`
/// ignores the first count of a series, which is the important one for a release.
///
/// Where samples are missing because Prometheus did not look, the last value before them counts, up to `seen` earlier.
/// What it saw for as long as the process itself is not new: that counts from the first value that it saw.
fn growth(series: &str, range: &str, seen: &str) -> String {
    let before = format!("last_over_time({series}[{seen}] offset {range})");
    let as_long = format!(
        "count_over_time({series}[{seen}]) >= on (instance, job) group_left () max by (instance, job) (count_over_time(serin_build_info[{seen}]))"
    );
    let first = format!("min_over_time({series}[{seen}]) and {as_long}");
    format!("({series} - ({before} or {first}) >= 0 or {series})")
}
