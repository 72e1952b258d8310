//! The only place that asks what time it is. Everything pure takes `now` as an argument.
#![allow(clippy::disallowed_methods, reason = "this is the clock")]

use jiff::Timestamp;

/// The present, by the operator's own clock.
pub fn now() -> Timestamp {
    Timestamp::now()
}
