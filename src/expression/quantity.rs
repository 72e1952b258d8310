//! Quantities in Kubernetes' format: `1500m`, `2Gi`, `1e3`.

/// Its value; none for an invalid quantity.
pub fn parse(text: &str) -> Option<f64> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    // an exponent replaces a unit
    if number.contains(['e', 'E']) && number.len() < text.len() {
        return None;
    }
    let factor = match &text[number.len()..] {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0_f64.powi(3),
        "Ti" => 1024.0_f64.powi(4),
        "Pi" => 1024.0_f64.powi(5),
        "Ei" => 1024.0_f64.powi(6),
        _ => return None,
    };
    let value: f64 = number.parse().ok()?;
    Some(value * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_numbers() {
        for (text, value) in [
            ("0", 0.0),
            ("1500m", 1.5),
            ("-2", -2.0),
            ("12.5", 12.5),
            ("1k", 1000.0),
            ("2Ki", 2048.0),
            ("1e3", 1000.0),
            ("1E3", 1000.0),
            ("3E", 3e18),
        ] {
            assert_eq!(parse(text), Some(value), "{text}");
        }
        for text in ["", " 7", "7 ", "m", "1x", "1 m", "NaN", "inf", "1ee3", "12e3m", "é"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("1e400"), Some(f64::INFINITY));
    }
}
