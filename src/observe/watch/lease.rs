//! The holder of the Lease of another operator that acts on the same Canaries, usually a Flagger, and until when it
//! holds it.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;

/// The last renewal of a Lease.
#[derive(Clone, Copy)]
pub(super) struct Renewal {
    /// The time by the holder's clock.
    said: Timestamp,
    /// When it was observed; for an existing Lease the holder's time.
    at: Timestamp,
}

/// The holder, and until when it holds the Lease. If it is renewed while we watch, it is held from `now` on, whatever
/// the clock of its holder says. When a Lease is first seen, only that clock is known.
pub(super) fn lease_holder(
    lease: &Lease,
    last: &mut Option<Renewal>,
    now: Timestamp,
) -> Option<(String, Timestamp)> {
    let spec = lease.spec.as_ref()?;
    let holder = spec.holder_identity.clone().filter(|h| !h.is_empty())?;
    let seconds = i64::from(spec.lease_duration_seconds.unwrap_or(60));
    let said = spec.renew_time.as_ref()?.0;
    let at = match *last {
        None => said,
        Some(known) if known.said == said => known.at,
        Some(_) => said.max(now),
    };
    *last = Some(Renewal { said, at });
    Some((holder, at.checked_add(SignedDuration::from_secs(seconds)).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_that_is_renewed_is_held_although_the_clock_of_its_holder_is_behind() {
        let at = |second: i64| jiff::Timestamp::from_second(1_000_000 + second).unwrap();
        let lease = |renewed: i64| {
            let spec = serde_json::json!({
                "holderIdentity": "flagger-7d", "leaseDurationSeconds": 60, "renewTime": format!("{:.6}", at(renewed)),
            });
            serde_json::from_value::<Lease>(serde_json::json!({"metadata": {}, "spec": spec})).unwrap()
        };
        let mut last = None;
        for (renewed, now, until) in [
            // it may have been abandoned
            (-500, 10, -440),
            (-485, 25, 85),
            // a label was changed
            (-485, 40, 85),
            // its clock is ahead
            (50, 45, 110),
        ] {
            assert_eq!(lease_holder(&lease(renewed), &mut last, at(now)).unwrap().1, at(until), "{renewed}");
        }
    }
}
