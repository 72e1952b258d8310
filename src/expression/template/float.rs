//! Digits of a number in the format of Go's `strconv`.

/// Shortest digits that read back the same, or this many of them, with an exponent if the number is very large or
/// small. The number is at least 0 and finite.
pub(crate) fn general(value: f64, precision: Option<usize>) -> String {
    let text = match precision {
        None => format!("{value:e}"),
        Some(digits) => format!("{value:.*e}", digits.max(1) - 1),
    };
    let (digits, exponent) = split(&text);
    let digits = digits.replace('.', "");
    let digits = digits.trim_end_matches('0');
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // zero has no digits
    let exponent = if count == 0 { -1 } else { exponent };
    let most = match precision.map(|digits| i32::try_from(digits.max(1)).unwrap_or(i32::MAX)) {
        None => 6,
        Some(most) if most > count && count > exponent => count,
        Some(most) => most,
    };
    if exponent < -4 || exponent >= most {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{first}{point}{rest}{}", power(exponent));
    }
    let after = usize::try_from(count - exponent - 1).unwrap_or(0);
    format!("{value:.after$}")
}

fn power(exponent: i32) -> String {
    format!("e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// Mantissa and exponent of Rust's output.
fn split(text: &str) -> (&str, i32) {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    (digits, exponent.parse().unwrap_or(0))
}

/// With this many digits after the point.
pub(super) fn fixed(value: f64, precision: usize) -> String {
    format!("{value:.precision$}")
}

/// One digit before the point, this many after it, and an exponent of at least two digits.
pub(super) fn exponent(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (digits, exponent) = split(&text);
    format!("{digits}{}", power(exponent))
}
