//! Number formats, and names for the whole demo.

use std::time::Duration;

/// Namespace of all objects.
pub(super) const NAMESPACE: &str = "test";
/// Name of the Deployment and of the Canary.
pub(super) const NAME: &str = "podinfo";

/// Seconds with one decimal.
pub(super) fn tenths(took: Duration) -> String {
    format!("{:.1}", took.as_secs_f64())
}

/// A share (0 to 1) in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Separates thousands with commas.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
