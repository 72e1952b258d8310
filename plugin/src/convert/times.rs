//! Durations in the format of Argo Rollouts, and in Serin's.

use std::time::Duration;

use serde_json::Value;
use serin::api::duration;

/// Seconds as a number or text, or a duration such as `1m30s`.
pub(super) fn read(value: &Value) -> Option<Duration> {
    match value {
        Value::Number(seconds) => seconds.as_u64().map(Duration::from_secs),
        Value::String(text) => match text.parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => duration::parse(text),
        },
        _ => None,
    }
}

/// Formats a duration as `1h30m`, `90s` or `500ms`.
pub(super) fn written(time: Duration) -> String {
    let seconds = time.as_secs();
    match (time.subsec_millis(), seconds) {
        (0, s) if s > 0 && s % 3600 == 0 => format!("{}h", s / 3600),
        (0, s) if s > 0 && s % 60 == 0 => format!("{}m", s / 60),
        (0, s) => format!("{s}s"),
        _ => format!("{}ms", time.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_in_each_form_and_written_in_one() {
        for (given, wanted) in [
            (json!(90), "90s"),
            (json!("30"), "30s"),
            (json!("180s"), "3m"),
            (json!("1h30m"), "90m"),
            (json!("2h"), "2h"),
            (json!("1500ms"), "1500ms"),
            (json!(0), "0s"),
        ] {
            assert_eq!(read(&given).map(written).as_deref(), Some(wanted), "{given}");
        }
        assert_eq!((read(&json!("soon")), read(&json!(null)), read(&json!(-5))), (None, None, None));
    }
}
