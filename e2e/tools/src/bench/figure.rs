//! A measured value, and the output of a list of values.

use std::fmt::Write;

/// The value, how it was measured, and values for comparison.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What it is.
    pub what: String,
    /// How it was measured.
    pub how: String,
    /// The value.
    pub value: f64,
    /// Its unit. Empty for counts.
    pub unit: &'static str,
    /// The maximum target value.
    pub target: Option<f64>,
    /// The value of Flagger 1.44 on the same control plane.
    pub flagger: Option<f64>,
    /// Differences of Flagger's measurement.
    pub remark: &'static str,
    /// The value with the engine that Serin used before. Recorded, not measured.
    pub before: Option<f64>,
    /// Details, one per line.
    pub details: Vec<String>,
}

impl Figure {
    /// A value without a comparison.
    pub fn new(what: impl Into<String>, how: impl Into<String>, value: f64, unit: &'static str) -> Self {
        let (what, how) = (what.into(), how.into());
        Self {
            what,
            how,
            value,
            unit,
            target: None,
            flagger: None,
            remark: "",
            before: None,
            details: Vec::new(),
        }
    }

    /// Sets the maximum target value.
    #[must_use]
    pub fn target(mut self, most: f64) -> Self {
        self.target = Some(most);
        self
    }

    /// Sets Flagger's value. `remark` describes differences.
    #[must_use]
    pub fn flagger(mut self, value: f64, remark: &'static str) -> Self {
        self.flagger = Some(value);
        self.remark = remark;
        self
    }

    /// Sets the value of the engine that Serin used before.
    #[must_use]
    pub fn before(mut self, value: f64) -> Self {
        self.before = Some(value);
        self
    }

    /// Adds a line of detail.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    fn text(&self) -> String {
        let mut text = format!("{}: {}", self.what, amount(self.value, self.unit));
        if let Some(target) = self.target {
            let met = if self.value <= target { "met" } else { "MISSED" };
            text += &format!(" (target: at most {}, {met})", amount(target, self.unit));
        }
        // writing to a String cannot fail
        write!(text, "\n    how: {}", self.how).ok();
        if let Some(flagger) = self.flagger {
            let ratio = if self.value == 0.0 {
                "no ratio to 0".to_owned()
            } else {
                format!("Flagger needs {} times as much", number(flagger / self.value))
            };
            let remark = if self.remark.is_empty() { String::new() } else { format!(", {}", self.remark) };
            write!(text, "\n    Flagger 1.44: {}{remark}; {ratio}", amount(flagger, self.unit)).ok();
        }
        if let Some(before) = self.before {
            let (ratio, before) = (number(self.value / before), amount(before, self.unit));
            write!(text, "\n    engine before, as recorded: {before}; this is {ratio} times as much").ok();
        }
        for line in &self.details {
            write!(text, "\n    {line}").ok();
        }
        text
    }
}

/// All values as text.
pub fn print(figures: &[Figure]) -> String {
    figures.iter().map(Figure::text).collect::<Vec<_>>().join("\n")
}

fn amount(value: f64, unit: &str) -> String {
    if unit.is_empty() { number(value) } else { format!("{} {unit}", number(value)) }
}

/// Three significant digits. Whole numbers are unchanged.
fn number(value: f64) -> String {
    let whole = (value - value.round()).abs() < 1e-9;
    match value.abs() {
        _ if whole => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// The value below which this share of all values lies. 0 if there are none.
pub(super) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_says_what_how_and_beside_what() {
        let text =
            Figure::new("calls", "audit log", 36.0, "").target(40.0).flagger(171.7, "20 canaries").text();
        assert_eq!(
            text,
            "calls: 36 (target: at most 40, met)\n    how: audit log\n    \
             Flagger 1.44: 172, 20 canaries; Flagger needs 4.77 times as much"
        );
        let text = Figure::new("a path", "loop", 5.0, "µs").before(20.0).text();
        assert!(
            text.ends_with("\n    engine before, as recorded: 20 µs; this is 0.250 times as much"),
            "{text}"
        );
        assert!(Figure::new("calls", "", 41.0, "").target(40.0).text().contains("MISSED"));
    }

    #[test]
    fn quantiles_are_measured_values() {
        let mut values = vec![3.0, 1.0, 2.0];
        assert_eq!((quantile(&mut values, 0.5), quantile(&mut values, 1.0)), (2.0, 3.0));
        assert!(quantile(&mut [], 0.5).abs() < f64::EPSILON);
    }
}
